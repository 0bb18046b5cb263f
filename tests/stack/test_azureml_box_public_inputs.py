"""Inputs from public addresses: fetched as anybody could, within limits; what cannot be had is the job's error in Azure's words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from emulator_rig import ENVIRONMENT, PLAIN, Rig, ended, started
from public_site import IRIS, Site, public_site

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    rig = Rig(tmp_path_factory.mktemp("public"), "--public-data-seconds=2", "--public-data-bytes=1000000")
    rig.publish(*PLAIN)
    with started(rig):
        yield rig


@pytest.fixture(scope="module")
def site(rig: Rig) -> Iterator[Site]:
    with public_site(rig.home / "ca") as site:
        yield site


def run(rig: Rig, kind: str, path: str, line: str = "cat '${{inputs.data}}'", mode: str | None = None) -> Any:
    from azure.ai.ml import Input, command

    job = command(command=line, environment=ENVIRONMENT, inputs={"data": Input(type=kind, path=path, mode=mode)})
    client = rig.client()
    return ended(client, client.jobs.create_or_update(job).name)


@pytest.mark.parametrize("path", ["/data/iris%20flowers.csv?version=1", "/moved.csv"])
def test_a_file_of_a_web_server_is_an_input_and_nobody_is_told_who_asks(rig: Rig, site: Site, path: str) -> None:
    job = run(rig, "uri_file", f"{site.url}{path}", "echo '${{inputs.data}}'; cat '${{inputs.data}}'")
    assert job.status == "Completed", rig.failure(job.name)
    assert IRIS.decode() in rig.log(job.name)
    if "flowers" in path:
        assert "iris flowers.csv" in rig.log(job.name)
    assert all("authorization" not in headers and "cookie" not in headers for headers in site.asked)


def test_direct_is_the_address_itself(rig: Rig, site: Site) -> None:
    job = run(rig, "uri_file", f"{site.url}/not-asked-for.csv", "echo got ${{inputs.data}}", "direct")
    assert f"got {site.url}/not-asked-for.csv" in rig.log(job.name)


def test_a_file_and_a_folder_of_a_public_container(rig: Rig, site: Site) -> None:
    job = run(rig, "uri_file", f"wasbs://open@{site.host}/flowers/tulip.csv")
    assert job.status == "Completed" and "/open/flowers/tulip.csv" in rig.log(job.name), rig.failure(job.name)
    for path in (f"wasbs://open@{site.host}/flowers/", f"wasbs://open@{site.host}/flowers"):
        job = run(rig, "uri_folder", path, "cd ${{inputs.data}} && find . -type f | sort")
        assert job.status == "Completed", rig.failure(job.name)
        assert rig.log(job.name).splitlines()[-3:] == ["./deep/rose red.csv", "./iris.csv", "./tulip.csv"]


def test_a_data_asset_may_point_at_public_files(rig: Rig, site: Site) -> None:
    from azure.ai.ml.entities import Data

    rig.client().data.create_or_update(
        Data(name="iris", version="1", type="uri_file", path=f"{site.url}/data/iris%20flowers.csv")
    )
    job = run(rig, "uri_file", "azureml:iris:1")
    assert job.status == "Completed" and IRIS.decode() in rig.log(job.name)


@pytest.mark.parametrize(
    ("kind", "path", "mode", "words"),
    [
        ("uri_file", "https://{}/missing.csv?sig=secret", None, "DataAccessError(NotFound): https://{}/missing.csv: "),
        ("uri_file", "https://{}/private.csv", None, "DataAccessError(PermissionDenied)"),
        ("uri_file", "https://{}/without-length.csv", "ro_mount", "requires 'Content-Length' header"),
        ("uri_file", "https://{}/huge.csv", None, "DataAccessError(SizeLimit)"),
        ("uri_file", "https://{}/endless.csv", "download", "DataAccessError(SizeLimit)"),
        ("uri_file", "https://{}/slow.csv", None, "DataAccessError(Timeout)"),
        ("uri_file", "https://{}/cut.csv", None, "16 bytes of 100 came"),
        ("uri_file", "https://{}/round.csv", None, "DataAccessError(ConnectionFailure)"),
        ("uri_file", "https://{}/away.csv", None, "only http and https"),
        ("uri_file", "https://me:secret@{}/data.csv", None, "only public data"),
        ("uri_file", "https://127.0.0.1:9/data.csv", None, "DataAccessError(ConnectionFailure)"),
        ("uri_folder", "https://{}/data/", None, "has single files (uri_file), no folders"),
        ("uri_folder", "wasbs://open@{}/weeds/", None, "DataAccessError(NotFound)"),
        ("uri_folder", "wasbs://closed@{}/flowers/", None, "DataAccessError(NotFound)"),
    ],
)
def test_what_cannot_be_had_fails_the_job_in_azures_words(
    rig: Rig, site: Site, kind: str, path: str, mode: str | None, words: str
) -> None:
    job = run(rig, kind, path.replace("{}", site.host), mode=mode)
    assert job.status == "Failed"
    assert words.replace("{}", site.host) in rig.failure(job.name)
    assert "data-capability" in rig.failure(job.name) and "secret" not in rig.failure(job.name)
    assert not list((rig.home / "azureml/jobs" / job.name / "inputs").rglob("*.part"))


def test_a_download_needs_no_length(rig: Rig, site: Site) -> None:
    assert IRIS.decode() in rig.log(run(rig, "uri_file", f"{site.url}/without-length.csv", mode="download").name)
