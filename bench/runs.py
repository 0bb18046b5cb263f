"""From an upload to `submitted`, and from a job's end to `registered`, over tiny datasets that differ."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Any

import requests

from bench.row import Row, middle
from cli import api

COUNT = 10
ROWS = 40
WITHIN_SECONDS = 180.0
CONFIG = b'base_model = "tiny-random-chat"\n'


def measure(eventgrid: str) -> list[Row]:
    """Drop one after the other, each followed to `live` and put to sleep, so that none disturbs the next."""
    submitted, registered = [], []
    for number in range(COUNT):
        name = f"bench-run-{number}"
        committed = drop(name, CONFIG)
        run = live(name)
        at = {moment["state"]: datetime.fromisoformat(moment["at"]) for moment in run["timeline"]}
        submitted.append((at["submitted"] - committed).total_seconds())
        registered.append((at["registered"] - _job_end(eventgrid, run["job"]["name"])).total_seconds())
        api.call("POST", "endpoints", name, "sleep")
    return [
        middle("upload → submitted", 3, "s", submitted, "from the upload's return, DROPTUNE_SETTLE 1 s included"),
        middle("job's end → registered", 2, "s", registered, "from the time of the job's RunCompleted"),
    ]


def drop(name: str, config: bytes) -> datetime:
    """Upload, and return the moment at which the client had its answer."""
    from shared.azure.blobs import Container

    datasets = Container("datasets")
    datasets.write(f"{name}/droptune.toml", config)
    datasets.write(f"{name}/data.jsonl", _rows(name))
    return datetime.now(UTC)


def _rows(name: str) -> bytes:
    talks = [
        [
            {"role": "user", "content": f"What is number {number} of {name}?"},
            {"role": "assistant", "content": f"Number {number} of {name} is {number * number}."},
        ]
        for number in range(ROWS)
    ]
    return "".join(json.dumps({"messages": talk}) + "\n" for talk in talks).encode()


def live(name: str) -> dict[str, Any]:
    """Wait for the run of a folder to be live, and return it; RuntimeError where it ends otherwise."""
    from cli.follow import rests

    ends = time.monotonic() + WITHIN_SECONDS
    while time.monotonic() < ends:
        rows = api.call("GET", "runs", query={"name": name})["runs"]
        if rows and rests(rows[0]):
            if rows[0]["state"] not in ("live", "asleep"):
                raise RuntimeError(f"{rows[0]['id']} ended as {rows[0]['state']}: {rows[0]['reason']}")
            row: dict[str, Any] = rows[0]
            return row
        time.sleep(0.3)
    raise TimeoutError(f"{name} was not live within {WITHIN_SECONDS:.0f} s")


def _job_end(eventgrid: str, job: str) -> datetime:
    answer = requests.get(f"{eventgrid}/_eventgrid/events", params={"topic": "azureml"}, timeout=10)
    answer.raise_for_status()
    for event in answer.json()["events"]:
        if event["eventType"].endswith(".RunCompleted") and event["data"].get("runId") == job:
            return datetime.fromisoformat(event["eventTime"])
    raise RuntimeError(f"no RunCompleted of {job} was published")
