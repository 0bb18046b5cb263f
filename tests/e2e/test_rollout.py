"""Gates, canaries and rollbacks in a box: real deployments, faults put in force as anybody would."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any, Self

import pytest
import requests
from box_client import TINY, Box, rows, until

pytestmark = pytest.mark.e2e
ASK = {"input_data": {"input_string": [[{"role": "user", "content": "hello"}]], "parameters": {"max_new_tokens": 4}}}


class Meanwhile:
    """Does something over and over beside a block."""

    def __init__(self, box: Box, about: str) -> None:
        self._box, self._about, self._ends = box, about, threading.Event()
        self._thread = threading.Thread(target=self._go_on, daemon=True)

    def once(self) -> None:
        raise NotImplementedError

    def _go_on(self) -> None:
        while not self._ends.is_set():
            self.once()
            time.sleep(0.2)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self._thread.join(70)


class Caller(Meanwhile):
    """Asks a model all the time, as a client of the function app; keeps how it was answered."""

    def __init__(self, box: Box, name: str) -> None:
        super().__init__(box, name)
        self.statuses: list[int] = []

    def once(self) -> None:
        self.statuses.append(self._box.http("POST", f"score/{self._about}", json=ASK).status_code)


class Killer(Meanwhile):
    """Kills a deployment's server whenever it is up, as a model that crashes at its requests would."""

    def __init__(self, box: Box, deployment: str) -> None:
        super().__init__(box, deployment)
        self.killed = 0

    def once(self) -> None:
        base = self._box.environment["ARM_CLOUD_METADATA_URL"].split("/metadata")[0]
        headers = {"Authorization": f"Bearer {self._box.environment['MLFLOW_TRACKING_TOKEN']}"}
        seen = requests.get(f"{base}/_emulator/serving", headers=headers, timeout=10).json()["deployments"]
        for one in seen:
            if one["deployment"] == self._about and one["pid"]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(one["pid"], signal.SIGKILL)
                    self.killed += 1


@pytest.fixture
def faults(box: Box) -> Iterator[Any]:
    def fault(*arguments: str) -> str:
        ran = box.command("box", "fault", *arguments, "--home", str(box.home))
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    yield fault
    fault("clear")


def _drop(box: Box, path: str, word: str, config: str = "", count: int = 24) -> dict[str, Any]:
    return box.settled(path, box.drop(path, rows(count, word), TINY + config), 180)


def _deployments(box: Box, row: dict[str, Any]) -> list[str]:
    from azure.ai.ml import MLClient
    from azure.identity import DefaultAzureCredential

    names = ("AZURE_SUBSCRIPTION_ID", "AZURE_RESOURCE_GROUP", "AZUREML_WORKSPACE_NAME")
    client = MLClient(DefaultAzureCredential(), *(box.environment[name] for name in names))
    return [one.name for one in client.online_deployments.list(row["endpoint"]["name"])]


def test_a_loss_above_the_gate_costs_no_deployment(box: Box) -> None:
    row = _drop(box, "loss/chats.jsonl", "tea", "[gate]\neval_loss_at_most = 0.001\n")
    assert row["state"] == "gated_out"
    assert "is above the gate's 0.001" in row["reason"] and row["endpoint"] == {}
    assert row["model"]["version"]
    assert box.report("loss/chats.jsonl")["state"] == "gated_out"


@pytest.mark.long
def test_a_model_that_is_not_better_than_the_live_one_is_gated_out_and_reported(box: Box) -> None:
    first = _drop(box, "better/chats.jsonl", "tea")
    with Caller(box, "better") as caller:
        # The same data again, trained to the same answers: nothing is better.
        second = _drop(box, "better/chats.jsonl", "tea", "[gate]\nbetter_than_live = true\nchrf_at_least = 0.0\n")
    assert (first["state"], second["state"]) == ("live", "gated_out"), second["reason"]
    assert "not better than the live model" in second["reason"]
    shown = second["evaluation"]
    assert shown["rows"] == shown["comparison"]["rows"] > 0
    assert shown["beside"].endswith(first["endpoint"]["deployment"])
    report = box.report("better/chats.jsonl")
    assert len(report["evaluation"]["worst"]) == min(5, shown["rows"])
    page = box.datasets.download_blob("better/chats.jsonl.report.html").readall().decode()
    assert "How it answers" in page and "The worst answers" in page and "Not good enough" in page
    until(lambda: _deployments(box, first) == [first["endpoint"]["deployment"]])
    assert set(caller.statuses) == {200}


@pytest.mark.long
def test_a_good_canary_gets_all_traffic_by_steps_and_no_caller_notices(box: Box) -> None:
    first = _drop(box, "steps/chats.jsonl", "tea")
    with Caller(box, "steps") as caller:
        second = _drop(box, "steps/chats.jsonl", "coffee", "[deploy]\ncanary = [20, 100]\nmirror = 10\n")
    assert (first["state"], second["state"]) == ("live", "live"), second["reason"]
    until(lambda: _deployments(box, first) == [second["endpoint"]["deployment"]])
    until(lambda: box.rows_of("steps")[1]["state"] == "superseded")
    assert set(caller.statuses) == {200}


def test_a_canary_that_turns_bad_goes_back_by_itself_and_no_caller_notices(box: Box) -> None:
    first = _drop(box, "bad/chats.jsonl", "tea")
    assert first["state"] == "live"
    path, config = "bad/chats.jsonl", TINY + "[deploy]\ncanary = [50, 100]\n"
    with Caller(box, "bad") as caller:
        etag = box.drop(path, rows(24, "coffee"), config)

        def in_part() -> bool:
            found = [row for row in box.rows_of("bad") if row["dataset"].get("etag") == etag]
            return bool(found) and found[0]["endpoint"].get("traffic") == 50

        until(in_part, 240)
        second = next(row for row in box.rows_of("bad") if row["dataset"].get("etag") == etag)
        with Killer(box, f"{second['endpoint']['name']}/{second['endpoint']['deployment']}") as killer:
            row = box.settled(path, etag, 180)
    assert killer.killed
    assert row["state"] == "rolled_back", row["reason"]
    assert "% of traffic: " in row["reason"] and "failed" in row["reason"]
    assert set(caller.statuses) == {200}, "a failed answer of the canary is repeated on the stable deployment"
    until(lambda: _deployments(box, first) == [first["endpoint"]["deployment"]])
    assert box.rows_of("bad")[1]["state"] == "live"
    assert box.report(path)["state"] == "rolled_back"


def test_a_rollback_brings_the_model_before_back(box: Box) -> None:
    first = _drop(box, "back/chats.jsonl", "tea")
    second = _drop(box, "back/chats.jsonl", "coffee")
    assert second["state"] == "live"
    with Caller(box, "back") as caller:
        ran = box.command("endpoints", "rollback", "back", "--json", "--home", str(box.home))
        assert ran.returncode == 0, ran.stderr
        assert json.loads(ran.stdout)["previous"] == first["id"]
        until(lambda: [row["state"] for row in box.rows_of("back")] == ["rolled_back", "live"], 120)
        until(lambda: len(_deployments(box, first)) == 1)
    assert set(caller.statuses) == {200}
    answer = box.http("POST", "endpoints/none/rollback")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


@pytest.mark.long
def test_a_deployment_that_fails_says_why_and_leaves_nothing_and_what_passes_is_tried_again(
    box: Box, faults: Any
) -> None:
    faults("add", "image_build_failed")
    row = _drop(box, "fails/chats.jsonl", "tea")
    assert row["state"] == "failed"
    assert "the image of the model's environment could not be built (ImageBuildFailure: " in row["reason"]
    assert "build log" in row["fix"]
    until(lambda: _deployments(box, row) == [])
    faults("add", "capacity_gone")
    again = _drop(box, "fails/chats.jsonl", "coffee")
    assert again["state"] == "live" and again["endpoint"]["deployment"].endswith("-3"), again
