"""Outputs at their author's address, as assets, and in a pipeline's own datastore, with the unmodified SDK."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from emulator_rig import ENVIRONMENT, WORKSPACE, Rig, ended, started

pytestmark = pytest.mark.stack

HERE = "azureml://datastores/workspaceblobstore/paths"


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    rig = Rig(tmp_path_factory.mktemp("outputs"))
    with started(rig):
        yield rig


@pytest.fixture(scope="module")
def client(rig: Rig) -> Any:
    return rig.client()


def made(line: str, **outputs: Any) -> Any:
    from azure.ai.ml import command

    return command(command=line, environment=ENVIRONMENT, outputs=outputs)


def output(rig: Rig, job: str, name: str) -> str:
    document = rig.ask("GET", f"{WORKSPACE}/jobs/{job}?api-version=2025-01-01-preview")[1]
    return str(document["properties"]["outputs"][name]["uri"])


def content(client: Any, uri: str, tmp_path: Path) -> str:
    from azure.ai.ml.operations._job_operations import download_artifact_from_aml_uri

    download_artifact_from_aml_uri(uri=uri, destination=str(tmp_path), datastore_operation=client.datastores)
    return next(path for path in tmp_path.rglob("f")).read_text().strip()


def test_a_commands_output_goes_to_the_address_that_its_author_chose(rig: Rig, client: Any, tmp_path: Path) -> None:
    from azure.ai.ml import Output

    wanted = Output(type="uri_folder", path=f"{HERE}/mine/${{{{name}}}}/${{{{output_name}}}}")
    job = ended(client, client.jobs.create_or_update(made("echo tea > ${{outputs.out}}/f", out=wanted)).name)
    assert job.status == "Completed", rig.failure(job.name)
    uri = output(rig, job.name, "out")
    assert uri == f"{HERE}/mine/{job.name}/out"
    assert content(client, uri, tmp_path) == "tea"


def test_outputs_with_a_name_become_data_and_models(rig: Rig, client: Any) -> None:
    from azure.ai.ml import Output

    outputs = {
        "data": Output(type="uri_folder", name="tea-leaves", version="5"),
        "model": Output(type="custom_model", name="tea-model"),
    }
    line = "echo a > ${{outputs.data}}/f; echo b > ${{outputs.model}}/f"
    job = ended(client, client.jobs.create_or_update(made(line, **outputs)).name)
    assert job.status == "Completed", rig.failure(job.name)
    data, model = client.data.get("tea-leaves", "5"), client.models.get("tea-model", "1")
    assert data.type == "uri_folder" and job.name in data.path
    assert model.type == "custom_model" and model.job_name == job.name

    again = ended(client, client.jobs.create_or_update(made(line, **outputs)).name)
    assert again.status == "Failed" and "tea-leaves" in rig.failure(again.name), "version 5 is another job's"


def test_a_pipelines_outputs_lie_in_its_datastore_and_its_steps_may_say_where(
    rig: Rig, client: Any, tmp_path: Path
) -> None:
    from azure.ai.ml import Input, Output, command
    from azure.ai.ml.dsl import pipeline
    from azure.ai.ml.entities import AzureBlobDatastore

    account = client.datastores.get("workspaceblobstore")
    other = AzureBlobDatastore(name="other", account_name=account.account_name, container_name="azureml")
    client.datastores.create_or_update(other)
    write = made("echo tea > ${{outputs.out}}/f", out=Output(type="uri_folder"))
    read = command(
        command="cp ${{inputs.data}}/f ${{outputs.out}}/f",
        environment=ENVIRONMENT,
        inputs={"data": Input(type="uri_folder")},
        outputs={"out": Output(type="uri_folder")},
    )

    @pipeline(name="placed", default_compute="serverless", default_datastore="other")
    def build() -> dict[str, Any]:
        first = write()
        first.outputs.out = Output(type="uri_folder", path=f"{HERE}/first", name="first-made")
        second = read(data=first.outputs.out)
        return {"last": second.outputs.out}

    sent = build()
    sent.outputs.last = Output(type="uri_folder", name="last-made", version="2")
    for turn in ("1", "2"):  # the second time every step is reused
        job = ended(client, client.jobs.create_or_update(sent).name)
        assert job.status == "Completed", rig.failure(job.name)
        steps = {child.display_name: child.name for child in client.jobs.list(parent_job_name=job.name)}
        assert output(rig, steps["first"], "out") == f"{HERE}/first"
        last = output(rig, job.name, "last")
        assert last.startswith("azureml://datastores/other/paths/azureml/")
        assert content(client, last, tmp_path / turn) == "tea"
        assert "/datastores/workspaceblobstore/paths/first" in client.data.get("first-made", turn).path
    assert "/datastores/other/" in client.data.get("last-made", "2").path


def test_an_address_or_datastore_that_there_is_not_is_refused(rig: Rig, client: Any) -> None:
    from azure.ai.ml import Output
    from azure.core.exceptions import HttpResponseError

    wanted = Output(type="uri_folder", path="azureml://datastores/nowhere/paths/x")
    with pytest.raises(HttpResponseError, match="nowhere"):
        client.jobs.create_or_update(made("echo > ${{outputs.out}}/f", out=wanted))


def test_what_a_step_keeps_with_its_run_is_its_output_named_artifacts(rig: Rig, client: Any, tmp_path: Path) -> None:
    from azure.ai.ml import load_job

    (tmp_path / "pipeline.yml").write_text(f"""
$schema: https://azuremlschemas.azureedge.net/latest/pipelineJob.schema.json
type: pipeline
settings: {{default_compute: azureml:serverless}}
jobs:
  hello:
    command: echo hello && echo world > ./outputs/world.txt
    environment: {ENVIRONMENT}
    outputs: {{artifacts: }}
  world:
    command: cd ${{{{inputs.kept}}}} && cat outputs/world.txt user_logs/std_log.txt && cp -r . ${{{{outputs.artifacts}}}}
    environment: {ENVIRONMENT}
    inputs: {{kept: "${{{{parent.jobs.hello.outputs.artifacts}}}}"}}
    outputs: {{artifacts: }}
""")
    job = ended(client, client.jobs.create_or_update(load_job(tmp_path / "pipeline.yml")).name)
    assert job.status == "Completed", rig.failure(job.name)
    steps = {child.display_name: child.name for child in client.jobs.list(parent_job_name=job.name)}
    assert "world" in rig.log(steps["world"]) and "hello" in rig.log(steps["world"])
    client.jobs.download(steps["world"], output_name="artifacts", download_path=tmp_path)
    assert [path.read_text() for path in tmp_path.rglob("world.txt")] == ["world\n"]
