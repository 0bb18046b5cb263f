"""Registries, compute instances, datastores that are records, preflight, and steps that are no commands, through the SDK."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from emulator_rig import Rig

pytestmark = pytest.mark.stack

IMAGE = "example.org/plain:1"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    rig = Rig(tmp_path_factory.mktemp("resources"))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in rig.environment.items():
            patch.setenv(name, value)
        try:
            rig.start()
            yield rig.client()
        finally:
            rig.close()


def _ended(client: Any, name: str, seconds: float = 60) -> Any:
    stops = time.monotonic() + seconds
    while time.monotonic() < stops:
        job = client.jobs.get(name)
        if job.status in ("Completed", "Failed", "Canceled"):
            return job
        time.sleep(0.2)
    raise AssertionError(f"{name} is still {job.status}")


def test_a_compute_instance_stops_once_and_starts_again(client: Any) -> None:
    from azure.ai.ml.entities import ComputeInstance
    from azure.core.exceptions import HttpResponseError, ResourceExistsError

    client.compute.begin_create_or_update(ComputeInstance(name="desk", size="Standard_DS3_v2")).result()
    client.compute.begin_restart("desk").result()
    client.compute.begin_stop("desk").result()
    assert client.compute.get("desk").state == "Stopped"
    with pytest.raises((ResourceExistsError, HttpResponseError), match="is Stopped"):
        client.compute.begin_stop("desk")
    client.compute.begin_start("desk").result()
    assert client.compute.get("desk").state == "Running"


def test_a_registry_that_was_made_takes_a_component_and_goes_with_it(client: Any, tmp_path: Path) -> None:
    from azure.ai.ml import MLClient, load_component
    from azure.ai.ml.entities import Registry, RegistryRegionDetails
    from azure.core.exceptions import ResourceNotFoundError

    made = Registry(name="second", location="eastus", replication_locations=[RegistryRegionDetails(location="eastus")])
    assert client.registries.begin_create(made).result().name == "second"
    assert {registry.name for registry in client.registries.list()} == {"azureml", "second"}
    (tmp_path / "say.yml").write_text(
        f"type: command\nname: say\nversion: 1\ncommand: echo\nenvironment: {{image: {IMAGE}}}\n"
    )
    there = MLClient(client._credential, registry_name="second")
    assert "/codes/" in there.components.create_or_update(load_component(tmp_path / "say.yml")).code
    client.registries.begin_delete(name="second").result()
    with pytest.raises(ResourceNotFoundError):
        there.components.get("say", "1")


def test_a_share_is_a_record_with_its_key_and_jobs_cannot_read_it(client: Any) -> None:
    from azure.ai.ml import Input, command
    from azure.ai.ml.entities import AccountKeyConfiguration, AzureFileDatastore

    key = AccountKeyConfiguration(account_key="a2V5")
    made = AzureFileDatastore(name="share", account_name="other", file_share_name="files", credentials=key)
    client.datastores.create_or_update(made)
    assert client.datastores.get("share", include_secrets=True).credentials.account_key == "a2V5"
    data = Input(type="uri_folder", path="azureml://datastores/share/paths/x")
    sent = command(command="ls ${{inputs.data}}", environment=f"{_environment(client)}", inputs={"data": data})
    job = client.jobs.create_or_update(sent)
    assert _ended(client, job.name).status == "Failed"


def _environment(client: Any) -> str:
    from azure.ai.ml.entities import Environment

    client.environments.create_or_update(Environment(name="plain", version="1", image=IMAGE))
    return "azureml:plain:1"


def test_preflight_takes_a_component_that_put_would_take(client: Any, tmp_path: Path) -> None:
    from azure.ai.ml import load_component

    path = tmp_path / "say.yml"
    path.write_text(f"type: command\nname: say\nversion: 1\ncommand: echo\nenvironment: {_environment(client)}\n")
    assert client.components.validate(load_component(path), skip_remote_validation=False).passed


SCORE = """
def run(files):
    return [open(name).read().strip() for name in files]
"""


def test_a_parallel_step_and_a_copy_really_run(client: Any, tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code/score.py").write_text(SCORE)
    (tmp_path / "data").mkdir()
    for word in ("tea", "coffee"):
        (tmp_path / f"data/{word}.txt").write_text(word)
    job = client.jobs.create_or_update(_pipeline(_environment(client), tmp_path))
    assert _ended(client, job.name).status == "Completed"
    client.jobs.download(job.name, download_path=tmp_path / "got", output_name="rows")
    found = [path.read_text().split() for path in (tmp_path / "got").rglob("*") if path.is_file()]
    assert found == [["coffee", "tea"]]
    assert client.jobs.get(job.name).outputs["rows"].path.endswith(f"/paths/chosen/{job.name}/rows.txt")
    children = {child.display_name for child in client.jobs.list(parent_job_name=job.name)}
    assert children == {"scored", "copied"}


def _pipeline(environment: str, folder: Path) -> Any:
    """Scores two files and copies the rows."""
    from azure.ai.ml import Input, Output
    from azure.ai.ml.data_transfer import copy_data
    from azure.ai.ml.dsl import pipeline
    from azure.ai.ml.parallel import RunFunction, parallel_run_function

    task = RunFunction(
        code=str(folder / "code"),
        entry_script="score.py",
        environment=environment,
        append_row_to="${{outputs.out}}",
    )
    score = parallel_run_function(
        inputs={"data": Input(type="uri_folder")},
        outputs={"out": Output(type="uri_file")},
        input_data="${{inputs.data}}",
        mini_batch_size="1",
        instance_count=1,
        task=task,
    )
    copy = copy_data(
        inputs={"rows": Input(type="uri_file")},
        outputs={"all": Output(type="uri_file")},
        data_copy_mode="merge_with_overwrite",
    )

    @pipeline(name="two kinds")
    def build(data):  # the SDK reads annotations, which here would be text
        scored = score(data=data)
        copied = copy(rows=scored.outputs.out)
        return {"rows": copied.outputs.all}

    made = build(data=Input(type="uri_folder", path=str(folder / "data")))
    made.outputs.rows.path = "azureml://datastores/workspaceblobstore/paths/chosen/${{name}}/rows.txt"
    made.settings.default_compute = "serverless"
    return made
