"""Jobs that the unmodified azure-ai-ml SDK submits really run: outputs, logs, metrics, failure, cancel, restart."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from emulator_rig import ENVIRONMENT, PLAIN, WORKSPACE, Rig, ended, runs, started, written

pytestmark = pytest.mark.stack

SPECS = {
    PLAIN[0]: PLAIN[1],
    "components/write": "name: write\nversion: '1'\ntype: command\ncode: ./code\n"
    "command: python run.py --word ${{inputs.word}} $[[--note ${{inputs.note}}]] --out ${{outputs.out}}\n"
    f"environment: {ENVIRONMENT}\n"
    "inputs: {word: {type: string, enum: [tea, coffee]}, note: {type: string, optional: true}}\n"
    "outputs: {out: {type: uri_folder}}\n",
    "components/read": "name: read\nversion: '1'\ntype: command\n"
    "command: cp -r ${{inputs.data}}/. ${{outputs.out}}/ && echo read >> ${{outputs.out}}/trace.txt\n"
    f"environment: {ENVIRONMENT}\n"
    "inputs: {data: {type: uri_folder}}\noutputs: {out: {type: mlflow_model}}\n",
    "components/chain": "name: chain\nversion: '1'\ntype: pipeline\n"
    "inputs: {word: {type: string, default: tea}, note: {type: string, optional: true}}\n"
    "outputs: {model: {type: mlflow_model}}\n"
    "jobs:\n"
    "  writing:\n    type: command\n    component: azureml:write:1\n"
    "    inputs: {word: '${{parent.inputs.word}}', note: '${{parent.inputs.note}}'}\n"
    "  reading:\n    type: command\n    component: azureml:read:1\n"
    "    inputs: {data: '${{parent.jobs.writing.outputs.out}}'}\n"
    "    outputs: {out: '${{parent.outputs.model}}'}\n",
}
WRITER = """
import argparse, os, pathlib
import requests
parser = argparse.ArgumentParser()
for name in ("--word", "--note", "--out"):
    parser.add_argument(name, default="none")
asked = parser.parse_args()
url = os.environ["MLFLOW_TRACKING_URI"] + "/api/2.0/mlflow/runs/log-metric"
headers = {"Authorization": "Bearer " + os.environ["MLFLOW_TRACKING_TOKEN"]}
for step in range(3):
    point = {"run_id": os.environ["AZUREML_ROOT_RUN_ID"], "key": "loss", "value": 3.0 - step, "step": step}
    requests.post(url, json=point, headers=headers, timeout=10).raise_for_status()
pathlib.Path(asked.out, "word.txt").write_text(f"{asked.word} {asked.note}")
print("wrote", asked.word)
"""


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    rig = Rig(tmp_path_factory.mktemp("jobs"))
    for name, spec in SPECS.items():
        rig.publish(name, spec)
    (rig.registry / "components/write/code").mkdir()
    (rig.registry / "components/write/code/run.py").write_text(WRITER)
    with started(rig):
        yield rig


@pytest.fixture(scope="module")
def client(rig: Rig) -> Any:
    return rig.client()


def submit_command(client: Any, line: str, **options: Any) -> Any:
    from azure.ai.ml import command

    return client.jobs.create_or_update(command(command=line, environment=ENVIRONMENT, **options))


def submit_chain(client: Any, **inputs: Any) -> Any:
    from azure.ai.ml import MLClient
    from azure.ai.ml.dsl import pipeline

    registry = MLClient(client._credential, registry_name="azureml")
    chain = registry.components.get("chain", label="latest")

    @pipeline(name="chain of two")
    def build() -> dict[str, Any]:
        node = chain(**inputs)
        return {"trained": node.outputs.model}

    return client.jobs.create_or_update(build(), experiment_name="chains")


def reaches(client: Any, name: str, status: str) -> None:
    stops = time.monotonic() + 30
    while client.jobs.get(name).status != status:
        assert time.monotonic() < stops, f"{name} never was {status}"
        time.sleep(0.1)


def test_a_command_job_runs_its_code_and_its_outputs_can_be_downloaded(client: Any, rig: Rig, tmp_path: Path) -> None:
    from azure.ai.ml import Input, Output

    (tmp_path / "code").mkdir()
    (tmp_path / "code/go.sh").write_text("cat $1 > $2/copy.txt; echo copied\n")
    (tmp_path / "in.txt").write_text("hello")
    job = submit_command(
        client,
        "bash go.sh ${{inputs.text}} ${{outputs.out}}",
        code=str(tmp_path / "code"),
        inputs={"text": Input(type="uri_file", path=str(tmp_path / "in.txt"))},
        outputs={"out": Output(type="uri_folder")},
    )
    assert ended(client, job.name).status == "Completed"
    assert rig.log(job.name).splitlines()[-1] == "copied"
    client.jobs.download(job.name, output_name="out", download_path=tmp_path / "got")
    assert [path.read_text() for path in (tmp_path / "got").rglob("copy.txt")] == ["hello"]


def test_a_nested_registry_pipeline_runs_step_by_step(client: Any, rig: Rig, tmp_path: Path) -> None:
    job = submit_chain(client, word="coffee")
    assert ended(client, job.name).status == "Completed", rig.details(job.name)
    (node,) = client.jobs.list(parent_job_name=job.name)
    steps = {step.display_name: step for step in client.jobs.list(parent_job_name=node.name)}
    assert set(steps) == {"writing", "reading"} and {step.status for step in steps.values()} == {"Completed"}
    client.jobs.download(job.name, output_name="trained", download_path=tmp_path)
    assert [path.read_text() for path in tmp_path.rglob("word.txt")] == ["coffee none"]
    assert [path.read_text() for path in tmp_path.rglob("trace.txt")] == ["read\n"]
    assert "wrote coffee" in rig.log(steps["writing"].name)


def test_metrics_logged_by_a_step_on_the_root_are_read_page_by_page(client: Any, rig: Rig) -> None:
    job = submit_chain(client)
    ended(client, job.name)
    base = f"/mlflow/v2.0{client.workspaces.get('box').id}/api/2.0/mlflow"
    history = f"{base}/metrics/get-history?run_id={job.name}&metric_key=loss&max_results=2"
    first = json.loads(rig.get(history))
    second = json.loads(rig.get(f"{history}&page_token={first['next_page_token']}"))
    points = [*first["metrics"], *second["metrics"]]
    assert [(point["step"], point["value"]) for point in points] == [(0, 3.0), (1, 2.0), (2, 1.0)]
    assert "next_page_token" not in second
    run = json.loads(rig.get(f"{base}/runs/get?run_id={job.name}"))["run"]
    assert (run["info"]["status"], run["data"]["metrics"][0]["value"]) == ("FINISHED", 1.0)


def test_a_value_outside_the_enumeration_is_refused_at_submission(client: Any, rig: Rig) -> None:
    from azure.core.exceptions import HttpResponseError

    with pytest.raises(HttpResponseError, match="'word' of component 'write' is 'milk'"):
        submit_chain(client, word="milk")


def test_a_failing_command_says_its_last_line(client: Any, rig: Rig) -> None:
    job = submit_command(client, "echo 'no such column' >&2; exit 4")
    assert ended(client, job.name).status == "Failed"
    message = rig.failure(job.name)
    assert "exit code 4" in message and "no such column" in message


def test_stream_shows_the_log_while_the_job_runs(client: Any, capsys: pytest.CaptureFixture[str]) -> None:
    job = submit_command(client, "echo one; sleep 2; echo two")
    client.jobs.stream(job.name)
    shown = capsys.readouterr().out
    assert shown.index("one") < shown.index("two") < shown.index("Execution Summary")


def test_cancel_ends_the_process_and_its_children(client: Any, rig: Rig, tmp_path: Path) -> None:
    job = submit_command(client, f"sleep 300 & echo $! > {tmp_path}/child; wait")
    reaches(client, job.name, "Running")
    written(tmp_path / "child")
    client.jobs.begin_cancel(job.name).result()
    assert client.jobs.get(job.name).status == "Canceled"
    assert not runs((tmp_path / "child").read_text())


def test_a_job_is_canceled_at_its_time_limit(client: Any, rig: Rig) -> None:
    from azure.ai.ml import command
    from azure.ai.ml.entities import CommandJobLimits

    job = command(command="sleep 300", environment=ENVIRONMENT)
    job.limits = CommandJobLimits(timeout=1)
    name = client.jobs.create_or_update(job).name
    assert ended(client, name).status == "Canceled"
    assert "limit of 1 s" in rig.failure(name)


def test_a_job_that_is_put_again_is_not_run_again_but_can_be_archived(client: Any) -> None:
    job = submit_command(client, "true")
    done = ended(client, job.name)
    done.tags = {"kept": "yes"}
    assert client.jobs.create_or_update(done).status == "Completed"
    client.jobs.archive(job.name)
    assert job.name not in [found.name for found in client.jobs.list(list_view_type="ActiveOnly")]
    assert client.jobs.get(job.name).tags["kept"] == "yes"
    client.jobs.restore(job.name)
    assert job.name in [found.name for found in client.jobs.list(list_view_type="ActiveOnly")]


def test_a_stop_ends_even_a_process_that_does_not_listen(client: Any, rig: Rig, tmp_path: Path) -> None:
    job = submit_command(client, f"trap '' TERM; echo $$ > {tmp_path}/deaf; while true; do sleep 1; done")
    reaches(client, job.name, "Running")
    written(tmp_path / "deaf")
    rig.end("azureml")
    assert not runs((tmp_path / "deaf").read_text())
    rig.start_emulator()
    assert client.jobs.get(job.name).status == "Failed"


def put(rig: Rig, name: str, **properties: Any) -> tuple[int, Any]:
    body = {"properties": {"jobType": "Command", "command": "true", "environmentId": ENVIRONMENT, **properties}}
    return rig.ask("PUT", f"{WORKSPACE}/jobs/{name}?api-version=2025-01-01-preview", body)


@pytest.mark.parametrize(
    ("properties", "named"),
    [
        ({"wheels": 4}, "the field properties.wheels of a job"),
        ({"jobType": "Spark"}, "jobs of type Spark"),
        ({"jobType": "Pipeline", "jobs": {"a": {"type": "parallel"}}, "command": None}, "properties.command"),
        ({"jobType": "Pipeline", "jobs": {"a": {"type": "spark"}}}, "nodes of type spark"),
        ({"jobType": "Pipeline", "settings": {"on_finalize": "a"}}, "properties.settings.on_finalize"),
        ({"jobType": "Pipeline", "settings": {"colour": "red"}}, "properties.settings.colour"),
        ({"jobType": "Sweep", "trial": {"command": "true"}}, "properties.command"),
    ],
)
def test_what_is_not_done_here_is_refused_by_name_and_counted(rig: Rig, properties: dict[str, Any], named: str) -> None:
    if properties.get("jobType") == "Pipeline" and "command" not in properties:
        body = {"properties": properties}
        status, answer = rig.ask("PUT", f"{WORKSPACE}/jobs/strict?api-version=2025-01-01-preview", body)
    else:
        status, answer = put(rig, "strict", **properties)
    assert status == 501 and answer["error"]["code"] == "NotImplemented" and named in answer["error"]["message"]
    counted = json.loads(rig.get("/_emulator/unsupported"))["unsupported"]
    assert any(named in entry["call"] and entry["count"] >= 1 for entry in counted)
    assert rig.ask("GET", f"{WORKSPACE}/jobs/strict?api-version=2025-01-01-preview")[0] == 404


@pytest.mark.parametrize(
    "properties",
    [
        {"jobType": "Wheel"},
        {"inputs": {"i": {"jobInputType": "wheel", "uri": "azureml://datastores/x/paths/y"}}},
        {"inputs": {"i": {"jobInputType": "uri_file", "mode": "Upload", "uri": "azureml://datastores/x/paths/y"}}},
        {"outputs": {"o": {"jobOutputType": "uri_folder", "mode": "Download"}}},
        {"limits": {"jobLimitsType": "Wheel"}},
        {"distribution": {"distributionType": "Ray"}},
    ],
)
def test_a_value_that_is_not_of_its_enumeration_is_refused_in_azures_envelope(
    rig: Rig, properties: dict[str, Any]
) -> None:
    status, answer = put(rig, "strict", **properties)
    assert (status, answer["error"]["code"]) == (400, "UserError")


@pytest.mark.parametrize(
    "properties",
    [
        {"inputs": "text"},
        {"inputs": {"a": {"jobInputType": "uri_file", "uri": 3}}},
        {"outputs": [1]},
        {"limits": {"timeout": "soon"}},
        {"limits": 3},
        {"command": 3},
        {"tags": "red"},
        {"jobType": ["Command"]},
        {"jobType": "Pipeline", "jobs": {"a": 3}},
        {"jobType": "Pipeline", "jobs": [1]},
        {"jobType": "Pipeline", "jobs": {"a": {"componentId": 3}}},
        {"jobType": "Pipeline", "jobs": {"a": {"componentId": "no id", "inputs": 3}}},
        {"jobType": "Pipeline", "settings": {"force_rerun": "perhaps"}, "jobs": {"a": {"componentId": "azureml:a:1"}}},
    ],
)
def test_a_body_of_another_shape_is_refused_and_breaks_nothing(rig: Rig, properties: dict[str, Any]) -> None:
    usual = {} if properties.get("jobType") == "Pipeline" else {"jobType": "Command", "command": "true"}
    body = {"properties": {**usual, **properties}}
    status, answer = rig.ask("PUT", f"{WORKSPACE}/jobs/{uuid4()}?api-version=2025-01-01-preview", body)
    assert status in (400, 404) and answer["error"]["message"], answer


def test_a_list_of_jobs_takes_the_parameters_of_the_reference_and_no_others(client: Any, rig: Rig) -> None:
    name = submit_command(client, "true", tags={"listed": "yes"}).name
    jobs = f"{WORKSPACE}/jobs?api-version=2024-01-01-preview"
    for query, found in (("tag=listed", [name]), ("tag=listed&jobType=Pipeline", []), ("properties=nobody", [])):
        status, answer = rig.ask("GET", f"{jobs}&{query}")
        assert (status, [job["name"] for job in answer["value"]]) == (200, found)
    status, answer = rig.ask("GET", f"{jobs}&$orderBy=name")
    assert status == 501 and "'$orderBy' of GET jobs" in answer["error"]["message"]
    assert rig.ask("GET", f"{jobs}&listViewType=Some")[1]["error"]["code"] == "UserError"
    assert (
        rig.ask("GET", f"{WORKSPACE}/jobs?api-version=2019-01-01")[1]["error"]["code"] == "InvalidApiVersionParameter"
    )


def test_an_output_lies_where_its_author_said_of_a_command_and_of_a_node(rig: Rig, client: Any) -> None:
    place = "azureml://datastores/workspaceblobstore/paths/mine/${{name}}/${{output_name}}"
    output = {"jobOutputType": "uri_folder", "uri": place}
    told = {"command": "echo here > ${{outputs.o}}/t.txt", "outputs": {"o": output}}
    assert put(rig, "addressed", **told)[0] == 201
    assert ended(client, "addressed").status == "Completed"
    spec = {
        "name": "writer",
        "type": "command",
        **told,
        "outputs": {"o": {"type": "uri_folder"}},
        "environment": ENVIRONMENT,
    }
    version = {"properties": {"componentSpec": spec}}
    assert rig.ask("PUT", f"{WORKSPACE}/components/writer/versions/1?api-version=2024-04-01", version)[0] == 201
    node = {
        "type": "command",
        "componentId": "azureml:writer:1",
        "outputs": {"o": {"job_output_type": "uri_folder", "uri": place}},
    }
    pipeline = {"properties": {"jobType": "Pipeline", "jobs": {"write": node}}}
    assert rig.ask("PUT", f"{WORKSPACE}/jobs/addressed-node?api-version=2025-01-01-preview", pipeline)[0] == 201
    assert ended(client, "addressed-node").status == "Completed"
    (child,) = client.jobs.list(parent_job_name="addressed-node")
    for name in ("addressed", child.name):
        shown = rig.ask("GET", f"{WORKSPACE}/jobs/{name}?api-version=2025-01-01-preview")[1]["properties"]["outputs"][
            "o"
        ]
        assert shown["uri"] == f"azureml://datastores/workspaceblobstore/paths/mine/{name}/o"
        client.jobs.download(name, output_name="o", download_path=rig.home / name)
        assert [path.read_text() for path in (rig.home / name).rglob("t.txt")] == ["here\n"]


def test_an_output_in_no_datastore_is_refused(rig: Rig) -> None:
    output = {"jobOutputType": "uri_folder", "uri": "azureml://datastores/nowhere/paths/x"}
    assert put(rig, "nowhere", outputs={"o": output})[0] == 404
    assert rig.ask("GET", f"{WORKSPACE}/jobs/nowhere?api-version=2025-01-01-preview")[0] == 404


def test_what_a_command_writes_into_its_outputs_folder_is_kept_with_the_run(rig: Rig, client: Any) -> None:
    assert put(rig, "keeping", command="echo kept > ./outputs/kept.txt; echo told > logs/told.txt")[0] == 201
    assert ended(client, "keeping").status == "Completed"
    base = f"/history/v1.0{WORKSPACE}/experiments/Default/runs/keeping/artifacts"
    listed = [one["path"] for one in rig.ask("GET", base)[1]["value"]]
    assert listed == ["logs/told.txt", "outputs/kept.txt", "user_logs/std_log.txt"]
    client.jobs.download("keeping", download_path=rig.home / "keeping")
    assert [path.read_text() for path in (rig.home / "keeping").rglob("kept.txt")] == ["kept\n"]
