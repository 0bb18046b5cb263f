"""The package that Azure runs, started without anything of ours around it: no box, no tests, no packages but the lock's.

DROPTUNE_PACKAGE_PYTHON names the interpreter of an empty environment into which the lock was installed (`make package`);
without it the lock's packages are linked from this environment, which takes a second instead of minutes.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from lean_site import HOST, link, locked
from storage_rig import azure_ml_beside

from infra import package
from local.box import config, environment
from shared.azure.blobs import Container

pytestmark = pytest.mark.stack
ROOT = Path(__file__).parents[2]
PYTHON = os.environ.get("DROPTUNE_PACKAGE_PYTHON", "")
# A lock for three Pythons and three systems names what this one has no use for, and telemetry's choice of web frameworks.
ELSEWHERE = {"colorama", "tzdata"}


@dataclass(frozen=True)
class Lean:
    """The package, and how a Python that has only its packages is started."""

    folder: Path
    command: list[str]
    site: str

    def environment(self, *more: Path) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("DROPTUNE_", "AZURE", "PYTHON"))}
        return kept | {"PYTHONPATH": os.pathsep.join([self.site, *map(str, more)]).strip(os.pathsep)}

    def run(self, code: str) -> subprocess.CompletedProcess[str]:
        command = [*self.command, "-W", "ignore", "-c", code]
        return subprocess.run(
            command, cwd=self.folder, env=self.environment(), capture_output=True, text=True, timeout=120
        )


@pytest.fixture(scope="module")
def lean(tmp_path_factory: pytest.TempPathFactory) -> Lean:
    folder = package.build(tmp_path_factory.mktemp("deployed") / "package")
    if PYTHON:
        return Lean(folder, [PYTHON], "")
    site = tmp_path_factory.mktemp("site")
    absent = link(locked(package.ROOT / package.LOCK), site)
    assert set(absent) <= ELSEWHERE | {"azure-functions"}, "the lock names what this environment lacks: make lock"
    return Lean(folder, [sys.executable, "-S"], str(site))


def test_it_holds_what_azure_runs_and_nothing_else(lean: Lean) -> None:
    there = {path.relative_to(lean.folder).parts[0] for path in lean.folder.rglob("*") if path.is_file()}
    assert there == {"function_app.py", "host.json", "requirements.txt", "functions", "shared"}
    assert (lean.folder / "requirements.txt").read_text() == (package.ROOT / package.LOCK).read_text()
    assert package.size(lean.folder)[1] < 5_000_000


def test_every_module_of_it_can_be_imported_with_its_own_packages_alone(lean: Lean) -> None:
    modules = [
        ".".join(path.relative_to(lean.folder).with_suffix("").parts).removesuffix(".__init__")
        for path in sorted(lean.folder.rglob("*.py"))
    ]
    code = f"import importlib\nfor name in {modules!r}: importlib.import_module(name)\nimport azure.ai.ml, pyarrow, hyperscan"
    done = lean.run(code)
    assert done.returncode == 0, done.stderr[-3000:]
    assert len(modules) > 100


def test_nothing_of_the_box_is_within_its_reach(lean: Lean) -> None:
    for name in ("local", "azureml_box", "cli", "tests", "torch", "starlette", "rich", "pytest"):
        assert "ModuleNotFoundError" in lean.run(f"import {name}").stderr, name


@dataclass(frozen=True)
class Host:
    """The functions host that runs the package."""

    url: str
    log: Path
    made: config.BoxConfig

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        return requests.request(method, f"{self.url}{path}", timeout=30, **options)

    def event(self, function: str, kind: str, subject: str, data: dict[str, Any]) -> None:
        key = self.made.secrets["functions_eventgrid"]
        event = {"id": "1", "eventType": kind, "subject": subject, "data": data, "dataVersion": "1"}
        event |= {"eventTime": datetime.now(UTC).isoformat(), "topic": "t", "metadataVersion": "1"}
        path = f"/runtime/webhooks/EventGrid?functionName={function}&code={key}"
        answer = self.call("POST", path, json=[event], headers={"aeg-event-type": "Notification"})
        assert answer.status_code == 202, answer.text

    def succeeded(self, function: str) -> bool:
        return bool(re.search(rf"INFO functions {function} \S+ [\d.]+ ms succeeded", self.log.read_text()))


@pytest.fixture(scope="module")
def host(lean: Lean, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    folder = tmp_path_factory.mktemp("host")
    link(HOST, folder / "site")
    (folder / "site/local").symlink_to(ROOT / "local")
    with azure_ml_beside(folder / "box") as made:
        variables = environment.functions(made) | {"DROPTUNE_EVENTS_ENDPOINT": "", "DROPTUNE_TOKENIZER": ""}
        log = folder / "host.log"
        options = ["--app", str(lean.folder), "--host-id", "package", "--port", str(made.ports["functions"])]
        tls = ["--cert", str(made.ca / "server.pem"), "--key", str(made.ca / "server.key")]
        command = [*lean.command, "-m", "local.functions_host", *options, *tls]
        with log.open("wb") as out:
            process = subprocess.Popen(
                command, cwd=folder, env=lean.environment(folder / "site") | variables, stdout=out, stderr=out
            )
        try:
            host = Host(made.url("functions"), log, made)
            until(lambda: process.poll() is not None or "are offered" in log.read_text(), 60)
            assert process.poll() is None, log.read_text()[-3000:]
            yield host
        finally:
            process.terminate()
            process.wait(20)


def until(look: Callable[[], Any], seconds: float = 40) -> Any:
    ends = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < ends, f"not within {seconds:.0f} s"
        time.sleep(0.1)
    return found


def test_all_functions_are_offered(host: Host) -> None:
    assert re.search(r"(\d+) functions are offered, 0 have errors", host.log.read_text())


def test_a_request_is_answered(host: Host) -> None:
    answer = host.call("GET", "/api/health")
    assert (answer.status_code, answer.json()["missing"]) == (200, [])
    assert host.call("GET", "/api/runs").status_code == 401


def test_a_blobs_event_goes_through_the_queue_to_a_verdict_beside_the_file(host: Host) -> None:
    Container("datasets").write("tea/chats.jsonl", b'{"messages": [{"role": "customer", "content": "?"}]}\n')
    subject = "/blobServices/default/containers/datasets/blobs/tea/chats.jsonl"
    host.event("dataset_uploaded", "Microsoft.Storage.BlobCreated", subject, {"api": "PutBlob"})
    report = until(lambda: Container("datasets").properties("tea/chats.jsonl.report.json"))
    verdict = json.loads(Container("datasets").read(report.path)[0])
    assert verdict["accepted"] is False
    assert host.succeeded("dataset_uploaded")
    until(lambda: host.succeeded("advance_run"))


def test_a_jobs_event_is_taken(host: Host) -> None:
    data = {"runId": "droptune-tea-0123456789-1", "runStatus": "Completed"}
    host.event("job_changed", "Microsoft.MachineLearningServices.RunStatusChanged", "experiments/x", data)
    assert until(lambda: host.succeeded("job_changed"))


def test_a_canarys_event_is_seen(host: Host) -> None:
    Container("canary").write("a.canary", b"")
    subject = "/blobServices/default/containers/canary/blobs/a.canary"
    host.event("canary", "Microsoft.Storage.BlobCreated", subject, {})
    assert until(lambda: Container("canary").properties("a.canary.seen"))


@pytest.mark.parametrize("timer", ["reconcile", "idle_teardown"])
def test_a_timer_ticks(host: Host, timer: str) -> None:
    assert until(lambda: host.succeeded(timer))
