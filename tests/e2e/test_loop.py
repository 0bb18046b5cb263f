"""The whole loop, as a user of the box lives it."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import openai
import pytest
import requests
from box_client import TINY, Box, rows, until

from local.box import config

pytestmark = pytest.mark.e2e
NOTEBOOK = {
    "input_data": {
        "input_string": [[{"role": "user", "content": "hello"}]],
        "parameters": {"temperature": 0.0, "do_sample": False, "max_new_tokens": 4},
    },
    "params": {},
}


def _ml() -> Any:
    from azure.ai.ml import MLClient
    from azure.identity import DefaultAzureCredential

    names = ("AZURE_SUBSCRIPTION_ID", "AZURE_RESOURCE_GROUP", "AZUREML_WORKSPACE_NAME")
    return MLClient(DefaultAzureCredential(), *(os.environ[name] for name in names))


def _jobs_of(run: str) -> list[str]:
    return [job.name for job in _ml().jobs.list() if job.tags.get("droptune-run") == run]


def test_a_dropped_file_becomes_a_live_model_driven_by_the_functions_alone(live: dict[str, Any]) -> None:
    states = [moment["state"] for moment in live["timeline"]]
    assert states == ["received", "validated", "submitted", "trained", "registered", "deploying", "live"]
    assert live["metrics"]["eval_loss"] > 0
    assert live["dataset"]["train_rows"] + live["dataset"]["validation_rows"] + live["dataset"]["test_rows"] == 24


def test_every_state_of_the_run_was_published_under_an_id_of_its_own(box: Box, live: dict[str, Any]) -> None:
    url = f"{config.load(box.home).url('eventgrid')}/_eventgrid/events?topic=droptune"
    told = requests.get(url, verify=os.environ["REQUESTS_CA_BUNDLE"], timeout=5).json()["events"]
    mine = {event["id"]: event for event in told if event["subject"] == f"runs/{live['id']}"}
    moments = [moment for moment in live["timeline"] if moment["state"] != "received"]
    assert set(mine) == {f"{live['id']}@{moment['at']}" for moment in moments}
    assert mine[f"{live['id']}@{moments[-1]['at']}"]["eventType"] == "Droptune.RunLive"


def test_azure_ml_has_the_job_the_model_and_the_endpoint_of_the_run(box: Box, live: dict[str, Any]) -> None:
    client = _ml()
    assert client.jobs.get(live["job"]["name"]).status == "Completed"
    children = list(client.jobs.list(parent_job_name=live["job"]["name"]))
    assert [child.display_name for child in children] == ["chat_completion_pipeline"] or len(children) == 1
    model = client.models.get(live["model"]["name"], version=live["model"]["version"])
    assert model.tags["droptune-run"] == live["id"]
    endpoint = client.online_endpoints.get(live["endpoint"]["name"])
    assert endpoint.traffic == {live["endpoint"]["deployment"]: 100}


def test_the_report_lies_beside_the_upload_and_the_upload_is_tagged(box: Box, live: dict[str, Any]) -> None:
    until(lambda: box.report("tea/chats.jsonl")["state"] == "live", 20)  # it is written next after the record
    assert box.report("tea/chats.jsonl")["run"] == live["id"]
    page = box.datasets.download_blob("tea/chats.jsonl.report.html").readall().decode()
    assert "<svg" in page and live["id"] in page
    tags = box.datasets.get_blob_client("tea/chats.jsonl").get_blob_tags()
    assert tags["droptune-state"] == "live"


def test_the_job_trained_on_exactly_the_snapshot(box: Box, live: dict[str, Any]) -> None:
    job = _ml().jobs.get(live["job"]["name"])
    node = next(iter(job.jobs.values()))
    for side in ("train", "validation", "test"):
        path = str(node.inputs[f"{side}_file_path"].path)
        assert path.endswith(f"{live['dataset']['snapshot']}/{side}.jsonl")


def test_the_notebooks_body_is_answered(box: Box, live: dict[str, Any]) -> None:
    first, second = (box.http("POST", "score/tea", json=NOTEBOOK) for _ in range(2))
    assert first.status_code == 200 and isinstance(first.json()[0]["0"], str)
    assert first.json() == second.json(), "greedy answers repeat exactly"


def test_an_unmodified_openai_client_gets_its_answer_and_its_stream(box: Box, live: dict[str, Any]) -> None:
    client = openai.OpenAI(
        base_url=f"{box.environment['DROPTUNE_URL']}/api/v1", api_key=box.environment["DROPTUNE_KEY"]
    )
    messages: Any = [{"role": "user", "content": "hello"}]
    answer = client.chat.completions.create(model="tea", messages=messages, temperature=0, max_tokens=6)
    pieces = client.chat.completions.create(model="tea", messages=messages, temperature=0, max_tokens=6, stream=True)
    streamed = "".join(piece.choices[0].delta.content or "" for piece in pieces)
    assert answer.choices[0].message.content == streamed
    assert "tea" in [model.id for model in client.models.list()]


@pytest.mark.parametrize(
    ("path", "options", "status", "code"),
    [
        ("score/tea", {"json": NOTEBOOK, "key": ""}, 401, "invalid_api_key"),
        ("score/tea", {"json": NOTEBOOK, "key": "dt-00000000-" + "x" * 30}, 401, "invalid_api_key"),
        ("score/nothing", {"json": NOTEBOOK}, 404, "model_not_found"),
        ("score/tea", {"data": b"{"}, 400, "invalid_json"),
        ("score/tea", {"json": {"input_data": {"input_string": []}}}, 400, "invalid_value"),
        ("score/tea", {"data": b" " * (1024 * 1024 + 1)}, 413, "request_too_large"),
        ("v1/chat/completions", {"json": {"model": "tea", "messages": []}}, 400, "invalid_value"),
        (
            "v1/chat/completions",
            {"json": {"model": "no", "messages": [{"role": "user", "content": "x"}]}},
            404,
            "model_not_found",
        ),
    ],
)
def test_bad_requests_get_a_code_and_never_a_stack_trace(
    box: Box, live: dict[str, Any], path: str, options: dict[str, Any], status: int, code: str
) -> None:
    answer = box.http("POST", path, **options)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert "Traceback" not in answer.text


def test_the_same_event_three_times_makes_one_job(box: Box) -> None:
    etag = box.drop("thrice/chats.jsonl", rows(20, "coffee"))
    config = json.loads((box.home / "box.json").read_text())
    subject = "/blobServices/default/containers/datasets/blobs/thrice/chats.jsonl"
    event = {
        "id": "again",
        "topic": "t",
        "subject": subject,
        "eventType": "Microsoft.Storage.BlobCreated",
        "eventTime": "2026-01-01T00:00:00Z",
        "data": {"url": "x"},
        "dataVersion": "",
    }
    for _ in range(3):
        answer = requests.post(
            f"{box.environment['DROPTUNE_URL']}/runtime/webhooks/EventGrid",
            params={"functionName": "dataset_uploaded", "code": config["secrets"]["functions_eventgrid"]},
            headers={"aeg-event-type": "Notification"},
            json=[event],
            timeout=30,
        )
        assert answer.status_code == 202
    run = box.settled("thrice/chats.jsonl", etag)
    assert run["state"] == "live"
    assert _jobs_of(run["id"]) == [run["job"]["name"]]


def test_the_same_content_again_points_to_the_run_that_exists(box: Box, live: dict[str, Any]) -> None:
    box.drop("tea/copy.jsonl", rows(24))
    report = until(lambda: _maybe_report(box, "tea/copy.jsonl"))
    assert (report["state"], report["run"]) == ("duplicate", live["id"])
    until(lambda: len(box.rows_of("tea")) == 1)  # the first upload is judged anew: its droptune.toml was written again
    assert len(_jobs_of(live["id"])) == 1


def _maybe_report(box: Box, path: str) -> dict[str, Any] | None:
    return box.report(path) if box.datasets.get_blob_client(f"{path}.report.json").exists() else None


GOOD = rows(20).decode().splitlines()
BAD = {
    "broken": ("\n".join([*GOOD[:6], '{"messages": [', *GOOD[6:]]), TINY, 7, "truncated_line"),
    "role": ("\n".join([*GOOD, GOOD[0].replace('"user"', '"human"')]), TINY, 21, "role_unknown"),
    "mute": ("\n".join([*GOOD, GOOD[0].replace('"assistant"', '"user"')]), TINY, 21, "no_assistant"),
    "empty": ("", TINY, None, "empty_file"),
    "parameter": ("\n".join(GOOD), TINY + "[parameters]\nnum_train_epoch = 1\n", 3, "config_refused"),
    "basemodel": ("\n".join(GOOD), 'base_model = "no-such-model"\n', 1, "config_refused"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_rejected_with_line_reason_and_mend(box: Box, name: str) -> None:
    data, config, line, code = BAD[name]
    etag = box.drop(f"{name}/chats.jsonl", data.encode(), config)
    row = box.settled(f"{name}/chats.jsonl", etag)
    report = box.report(f"{name}/chats.jsonl")
    first = report["findings"][0]
    assert (row["state"], report["state"], first["code"], first["line"]) == ("rejected", "rejected", code, line)
    assert first["message"] and first["fix"] and row["reason"]
    assert box.datasets.get_blob_client(f"{name}/chats.jsonl").get_blob_tags()["droptune-state"] == "rejected"


@pytest.mark.parametrize("file", ["chat.jsonl.gz", "chat.parquet"])
def test_a_compressed_file_and_parquet_are_taken_as_they_are(box: Box, file: str) -> None:
    data = (Path(__file__).parents[2] / "examples" / "formats" / file).read_bytes()
    name = file.replace(".", "-")
    run = box.settled(f"{name}/{file}", box.drop(f"{name}/{file}", data, TINY))
    assert run["state"] == "live"
    report = box.report(f"{name}/{file}")
    assert report["estimate"]["usd_low"] <= report["estimate"]["usd"] <= report["estimate"]["usd_high"]


def test_rows_of_another_format_are_named_and_told_how_to_convert(box: Box) -> None:
    data = (Path(__file__).parents[2] / "examples" / "formats" / "sharegpt.json").read_bytes()
    row = box.settled("sharegpt/old.json", box.drop("sharegpt/old.json", data, TINY))
    assert row["state"] == "rejected" and "ShareGPT" in row["reason"]
    assert "droptune convert old.json" in row["fix"]


def test_a_compute_that_is_not_on_the_models_list_is_refused(box: Box) -> None:
    from azure.ai.ml.entities import AmlCompute

    _ml().compute.begin_create_or_update(AmlCompute(name="small", size="Standard_NC4as_T4_v3")).result()
    etag = box.drop("small/chats.jsonl", rows(20), TINY + 'compute = "small"\n')
    run = box.settled("small/chats.jsonl", etag)
    assert run["state"] == "refused" and "Standard_NC4as_T4_v3" in run["reason"] and "nc24ads" in run["fix"]
    report = until(lambda: (found := box.report("small/chats.jsonl"))["state"] == "refused" and found)
    assert report["fix"]


def test_droptunes_own_files_never_start_anything(box: Box, live: dict[str, Any]) -> None:
    named = {row["dataset"]["path"] for row in box.http("GET", "runs").json()["runs"]}
    assert not [path for path in named if ".report." in path or path.endswith("droptune.toml")]


def test_the_command_line_tells_the_same(box: Box, live: dict[str, Any], tmp_path: Path) -> None:
    shown = box.command("runs", "show", "tea", "--json")
    assert json.loads(shown.stdout)["id"] == live["id"]
    file = tmp_path / "bad.jsonl"
    file.write_text(BAD["broken"][0])
    checked = box.command("check", str(file), "--json")
    assert checked.returncode == 1
    assert json.loads(checked.stdout)["findings"][0]["line"] == 7
    dropped = box.command("drop", str(file), "--as", "clibad", "--follow", "--json")
    assert dropped.returncode == 1 and json.loads(dropped.stdout)["state"] == "rejected"


def test_a_sleeping_model_wakes_for_its_first_request(box: Box, live: dict[str, Any]) -> None:
    box.http("POST", "endpoints/thrice/sleep")
    until(lambda: box.http("GET", "endpoints/thrice").json()["state"] == "asleep")
    assert box.http("GET", "endpoints/thrice").json()["cost"]["bills_now_usd_an_hour"] == 0
    asleep = box.http("POST", "score/thrice", json=NOTEBOOK)
    assert asleep.status_code == 503 and asleep.json()["error"]["code"] == "model_asleep"
    assert int(asleep.headers["Retry-After"]) >= 1 and asleep.headers["x-droptune-state"] == "waking"
    woken = until(lambda: (answer := box.http("POST", "score/thrice", json=NOTEBOOK)).status_code == 200 and answer)
    assert woken.json()[0]["0"]


def test_an_endpoint_that_nobody_uses_falls_asleep_by_itself(box: Box) -> None:
    etag = box.drop("idle/chats.jsonl", rows(20, "juice"), TINY + '[deploy]\nidle_after = "3s"\n')
    run = box.settled("idle/chats.jsonl", etag)
    assert run["endpoint"]["deployment"]
    until(lambda: box.http("GET", "endpoints/idle").json()["state"] == "asleep")
    deployments = list(_ml().online_deployments.list(run["endpoint"]["name"]))
    assert deployments == []


def test_a_killed_functions_host_ends_the_run_right(box: Box) -> None:
    etag = box.drop("killed/chats.jsonl", rows(20, "water"))
    until(lambda: [row for row in box.rows_of("killed") if row["state"] == "submitted"])
    status = json.loads(box.command("box", "status", "--json", "--home", str(box.home)).stdout)
    os.kill(status["services"]["functions"]["pid"], signal.SIGKILL)
    run = box.settled("killed/chats.jsonl", etag, 180)
    assert run["state"] in ("live", "asleep")
    assert len(_jobs_of(run["id"])) == 1


def test_a_newer_upload_of_a_folder_takes_the_endpoint(box: Box, live: dict[str, Any]) -> None:
    etag = box.drop("tea/chats.jsonl", rows(30, "mate"))
    newer = box.settled("tea/chats.jsonl", etag)
    assert newer["state"] == "live"
    assert box.http("GET", f"runs/{live['id']}").json()["state"] == "superseded"
    endpoint = _ml().online_endpoints.get(newer["endpoint"]["name"])
    assert endpoint.traffic == {newer["endpoint"]["deployment"]: 100}


def test_no_key_and_no_prompt_reaches_a_log(box: Box, live: dict[str, Any]) -> None:
    whole = "".join(path.read_text(errors="replace") for path in (box.home / "logs").glob("*.log"))
    secrets = [
        value for value in json.loads((box.home / "box.json").read_text())["secrets"].values() if len(value) > 15
    ]
    assert whole and not [secret for secret in [*secrets, box.environment["DROPTUNE_KEY"]] if secret in whole]
    assert "What is tea number" not in whole
