"""Conda files become virtual environments: real venvs, real pip, from wheels in a folder; one from PyPI."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from emulator_rig import Rig, ended, started
from tiny_wheels import wheel

from azureml_box.environments import Environments, Wanted
from azureml_box.environments.conda import Spec
from azureml_box.environments.keeping import Ceiling

pytestmark = pytest.mark.stack

AUTHORITIES, AT_START = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "PIP_CERT"), dict(os.environ)
IMAGE = "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04"


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder in which pip looks, and nowhere else."""
    folder = tmp_path_factory.mktemp("wheels")
    wheel(folder, "greeting", "1.2.3", "WORD = 'tea'\n")
    wheel(folder, "parting", "0.1", "WORD = 'bye'\n")
    wheel(folder, "azureml_mlflow", "1.62", "WORD = 'plugin'\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PIP_NO_INDEX", "1")
        patch.setenv("PIP_FIND_LINKS", str(folder))
        yield folder


def want(*lines: str) -> Wanted:
    return Wanted("a test", Spec(requirements=lines))


def says(python: str, code: str) -> str:
    return subprocess.run([python, "-c", code], capture_output=True, text=True, check=False).stdout.strip()


def test_one_build_serves_all_who_want_it_at_once_and_later(wheels: Path, tmp_path: Path) -> None:
    logs = [tmp_path / f"job{number}/log.txt" for number in range(3)]

    async def both() -> list[str]:
        kept = Environments(tmp_path / "kept")
        orders = (("greeting==1.2.3", "parting"), ("parting", "greeting==1.2.3"), ("greeting==1.2.3", "parting"))
        made = await asyncio.gather(*(kept.prepare(want(*order), log) for order, log in zip(orders, logs, strict=True)))
        again = await Environments(tmp_path / "kept").prepare(want(*orders[0]), tmp_path / "unused")
        return [python.path for python in (*made, again)]

    paths = asyncio.run(both())

    assert len(set(paths)) == 1
    assert says(paths[0], "import greeting; print(greeting.WORD)") == "tea"
    assert says(paths[0], "import starlette; print('seen')") == "", "the box's own packages must not be visible"
    assert all(log.read_text().count("Successfully installed") == 1 for log in logs)
    assert not (tmp_path / "unused").exists()


def begun(folder: Path) -> None:
    stops = time.monotonic() + 30
    while not list(folder.glob("*-*/bin/python")):
        assert time.monotonic() < stops, "no build began"
        time.sleep(0.02)


def test_a_build_that_was_killed_leaves_nothing_that_is_used(wheels: Path, tmp_path: Path) -> None:
    async def cancelled() -> None:
        task = asyncio.create_task(Environments(tmp_path).prepare(want("greeting")))
        await asyncio.to_thread(begun, tmp_path)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(cancelled())
    assert not list(tmp_path.glob("*.json")) and not [path for path in tmp_path.iterdir() if path.is_dir()]

    key = next(tmp_path.glob("*.log")).stem
    (tmp_path / f"{key}-0dead/bin").mkdir(parents=True)  # as a `kill -9` of the emulator leaves it
    made = asyncio.run(Environments(tmp_path).prepare(want("greeting")))
    assert says(made.path, "import greeting; print(greeting.WORD)") == "tea"
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == [Path(str(made.venv)).name]


def test_the_least_recently_used_goes_but_none_that_works(wheels: Path, tmp_path: Path) -> None:
    places = [tmp_path / f"{key}-1" for key in ("idle", "busy")]
    for place in places:
        (place / "bin").mkdir(parents=True)
        (tmp_path / place.name).with_name(f"{place.name[:4]}.json").write_text(
            f'{{"folder": "{place.name}", "size": 1}}'
        )
    working = subprocess.Popen(["/bin/sleep", "60"], env={"VIRTUAL_ENV": str(places[1])})
    try:
        kept = Environments(tmp_path, Ceiling(count=1, spared=0.0))
        made = asyncio.run(kept.prepare(want("greeting")))
        assert [place.exists() for place in places] == [False, True] and Path(made.path).exists()
        kept.forget()
    finally:
        working.kill()
        working.wait()
    assert places[1].exists() and not Path(made.path).exists()


@pytest.fixture(scope="module")
def rig(wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    rig = Rig(tmp_path_factory.mktemp("environments"))
    with started(rig):
        yield rig


def submit(rig: Rig, line: str, *dependencies: Any) -> Any:
    from azure.ai.ml import command
    from azure.ai.ml.entities import Environment

    client = rig.client()
    file = {"name": "x", "channels": ["conda-forge"], "dependencies": list(dependencies)}
    environment = Environment(image=IMAGE, conda_file=file)
    return ended(client, client.jobs.create_or_update(command(command=line, environment=environment)).name)


def test_a_job_runs_in_the_environment_that_its_conda_file_asks_for(rig: Rig) -> None:
    line = "python -c 'import greeting, sys; print(greeting.WORD, sys.prefix)'"
    job = submit(rig, line, "python=3.11", "greeting=1.2", {"pip": ["parting"]})

    assert job.status == "Completed", rig.failure(job.name)
    log, python = rig.log(job.name), Path(job.properties["azureml_box.interpreter"])
    assert f"tea {python.parent.parent}" in log and "its conda file by pip" in log
    build = rig.get(rig.details(job.name)["logFiles"]["azureml-logs/20_image_build_log.txt"])
    assert "Successfully installed greeting-1.2.3 parting-0.1" in build

    began = time.monotonic()
    again = submit(rig, line, "python=3.11", {"pip": ["parting"]}, "greeting=1.2")
    assert again.status == "Completed" and time.monotonic() - began < 10
    assert "azureml-logs/20_image_build_log.txt" not in rig.details(again.name)["logFiles"]


def test_a_job_with_the_plugin_of_mlflow_is_given_the_address_that_it_keeps_files_at(rig: Rig) -> None:
    line = "echo $MLFLOW_TRACKING_URI, $ARM_CLOUD_METADATA_URL"
    with_it, without = submit(rig, line, "python=3.11", {"pip": ["azureml-mlflow"]}), submit(rig, line, "parting")
    address = f"{rig.url.removeprefix('https://')}/mlflow"
    assert f"azureml://{address}/v1.0/subscriptions/" in rig.log(with_it.name)
    assert f"https://{address}/v2.0/subscriptions/" in rig.log(without.name)
    assert f", {rig.url}/metadata/endpoints" in rig.log(with_it.name)


def test_an_environment_that_cannot_be_built_fails_the_job_with_azures_words(rig: Rig) -> None:
    job = submit(rig, "echo never", {"pip": ["no-such-package-here==9"]})
    assert job.status == "Failed"
    failure = rig.failure(job.name)
    name = "azureml-logs/20_image_build_log.txt"
    assert failure.startswith(f"Image build failed. For more details, check log file {name}.")
    assert "No matching distribution found for no-such-package-here==9" in failure
    assert "no-such-package-here" in rig.get(rig.details(job.name)["logFiles"][name])


def test_a_build_context_runs_in_the_boxs_own_interpreter_and_is_counted(rig: Rig, tmp_path: Path) -> None:
    from azure.ai.ml import command
    from azure.ai.ml.entities import BuildContext, Environment

    (tmp_path / "Dockerfile").write_text("FROM python:3.11\n")
    client = rig.client()
    job = command(command="python -c 'import starlette'", environment=Environment(build=BuildContext(path=tmp_path)))
    done = ended(client, client.jobs.create_or_update(job).name)
    assert done.status == "Completed" and "the box's own interpreter" in rig.log(done.name)
    assert "a Docker build context is not built here" in rig.log(done.name)
    assert any(
        "Docker build context" in entry["call"]
        for entry in json.loads(rig.get("/_emulator/unsupported"))["unsupported"]
    )


@pytest.mark.skipif(os.environ.get("AZUREML_BOX_OFFLINE") == "1", reason="told to stay off the network")
def test_a_package_comes_from_pypi(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PIP_NO_INDEX", raising=False)
        patch.delenv("PIP_FIND_LINKS", raising=False)
        for name in AUTHORITIES:  # another test's emulator has its own
            patch.delenv(name, raising=False)
            if name in AT_START:
                patch.setenv(name, AT_START[name])
        made = asyncio.run(Environments(tmp_path).prepare(want("iniconfig"), tmp_path / "log"))
    assert "iniconfig" in says(made.path, "import iniconfig; print(iniconfig.__name__)")


SCRIPT = """
import json, os, sys
import greeting

def init():
    global parts
    parts = [greeting.WORD, sys.prefix, "azureml_box" in sys.modules]

def run(raw):
    asked = json.loads(raw)
    if asked.get("fail"):
        raise ValueError("as you wish")
    if asked.get("die"):
        os._exit(7)
    return {"parts": parts, "sent": asked}
"""


def deployed(rig: Rig, folder: Path, *dependencies: Any) -> Any:
    from azure.ai.ml.entities import CodeConfiguration, Environment, ManagedOnlineDeployment, ManagedOnlineEndpoint

    client = rig.client()
    (folder / "score.py").write_text(SCRIPT)
    client.online_endpoints.begin_create_or_update(ManagedOnlineEndpoint(name="scripted", auth_mode="key")).result()
    made = ManagedOnlineDeployment(
        name="one",
        endpoint_name="scripted",
        environment=Environment(image=IMAGE, conda_file={"name": "x", "dependencies": list(dependencies)}),
        code_configuration=CodeConfiguration(code=str(folder), scoring_script="score.py"),
        instance_type="Standard_DS3_v2",
        instance_count=1,
    )
    client.online_deployments.begin_create_or_update(made).result()
    return client


def test_a_scoring_script_runs_in_its_deployments_environment(rig: Rig, tmp_path: Path) -> None:
    import requests

    client = deployed(rig, tmp_path, "python=3.11", "greeting=1.2", {"pip": ["parting"]})
    key = client.online_endpoints.get_keys("scripted").primary_key
    headers = {"Authorization": f"Bearer {key}", "azureml-model-deployment": "one"}

    def ask(sent: dict[str, Any]) -> Any:
        url, ca = f"{rig.url}/endpoints/scripted/score", str(rig.home / "ca/bundle.pem")
        return requests.post(url, json=sent, headers=headers, timeout=20, verify=ca)

    word, prefix, leaked = ask({"any": 1}).json()["parts"]
    assert word == "tea" and not leaked and Path(prefix).parent == rig.home / "azureml/environments"
    assert ask({"fail": 1}).status_code == 424 and ask({"any": 2}).json()["sent"] == {"any": 2}
    assert "as you wish" in client.online_deployments.get_logs("one", "scripted", lines=100)
    storage = client.online_deployments.get_logs("one", "scripted", lines=100, container_type="storage-initializer")
    assert "The scoring script runs in the virtual environment" in storage
    assert ask({"die": 1}).status_code >= 424
    stops = time.monotonic() + 20
    while ask({"any": 3}).status_code != 200:  # the server is started again
        assert time.monotonic() < stops
        time.sleep(0.2)
    client.online_endpoints.begin_delete("scripted").result()


def test_a_deployments_environment_that_cannot_be_built_says_so(rig: Rig, tmp_path: Path) -> None:
    from azure.core.exceptions import HttpResponseError

    with pytest.raises(HttpResponseError, match=r"Image build failed(.|\n)*No matching distribution"):
        deployed(rig, tmp_path, {"pip": ["no-such-package-here==9"]})
    rig.client().online_endpoints.begin_delete("scripted").result()
