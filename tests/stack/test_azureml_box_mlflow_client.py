"""`mlflow` as a client of its own, in a process that has the emulator's environment and no more.

The plugin `azureml-mlflow` pins an older azure-storage-blob than ours, so it can't be installed beside us: name an interpreter
that has it in AZUREML_MLFLOW_PYTHON, and the same script runs there with the workspace's own address, and with files.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lone_emulator import Session, lone

from azureml_box.alone.emulator import Emulator

pytestmark = pytest.mark.stack
SCRIPT = Path(__file__).parent / "fixtures" / "mlflow_client.py"
PLUGIN = os.environ.get("AZUREML_MLFLOW_PYTHON", "")


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with lone(tmp_path_factory.mktemp("mlflow-client")) as one:
        yield one


def ran(emulator: Emulator, python: str, tracking: str, experiment: str) -> dict[str, Any]:
    """What the script read back."""
    told = emulator.home / "told.json"
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environment = {**kept, **emulator.environment, "MLFLOW_DISABLE_TELEMETRY": "true"}
    command = [python, str(SCRIPT), tracking, str(told), experiment]
    done = subprocess.run(command, env=environment, cwd=emulator.home, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-3000:]
    return dict(json.loads(told.read_text()))


def looked_at(told: dict[str, Any]) -> None:
    """What was written is what was read."""
    assert told["status"] == "FINISHED"
    assert told["params"] == {"depth": "3", "kind": "oak"}
    assert told["metrics"] == {"loss": pytest.approx(1 / 3), "accuracy": 0.5, "recall": 0.25}
    assert told["tags"] == {"season": "autumn"}
    assert told["history"] == [[0, 1.0], [1, 0.5], [2, pytest.approx(1 / 3)]]
    assert (told["found"], told["best"], told["left"]) == (["first"], ["second"], ["first"])
    assert [name for name in told["experiments"] if name.endswith("trees")]
    assert "does not implement POST" in told["refused"] and "registered-models/create" in told["refused"]


def test_an_unmodified_mlflow_tracks_by_its_environment_alone(emulator: Emulator) -> None:
    looked_at(ran(emulator, sys.executable, emulator.environment["MLFLOW_TRACKING_URI"], "trees"))
    unsupported = Session(emulator).ask("GET", "/_emulator/unsupported").json()["unsupported"]
    assert any("registered-models/create" in one["call"] for one in unsupported)


def test_a_runs_files_are_sent_listed_and_loaded_as_the_plugin_does(emulator: Emulator) -> None:
    session, scope = Session(emulator), emulator.scope
    made = session.ask("POST", f"/mlflow/v2.0{scope}/api/2.0/mlflow/runs/create", {"experiment_id": "files"}).json()
    base = f"/history/v1.0{scope}/experiments/files/runs/{made['run']['info']['run_id']}/artifacts"
    texts = {"a.txt": b"alpha", "folder/ä b.txt": b"beta", "folder2/c.txt": b"gamma"}
    answer = session.ask("POST", f"{base}/batch/metadata", {"paths": [{"path": path} for path in texts]}).json()
    assert answer["errors"] == {} and list(answer["artifacts"]) == list(texts)
    for path, place in answer["artifactContentInformation"].items():
        assert stored(session, "PUT", place, texts[path]).status_code == 201

    def paths(where: str = "", **query: str) -> list[str]:
        return [one["path"] for one in session.ask("GET", base + where, **query).json()["value"]]

    assert paths() == list(texts)
    assert paths("/path", path="folder") == ["folder/ä b.txt"]
    assert paths("/prefix/contentinfo", path="folder2") == ["folder2/c.txt"]
    place = session.ask("GET", f"{base}/contentinfo", path="folder/ä b.txt").json()
    assert stored(session, "GET", place).content == b"beta"
    assert session.ask("GET", f"{base}/contentinfo", path="folder").status_code == 404
    assert session.ask("POST", f"{base}/batch/metadata", {"paths": ["a.txt"]}).status_code == 400
    assert session.ask("GET", base.replace("/runs/", "/runs/x")).status_code == 404


def stored(session: Session, verb: str, place: dict[str, Any], data: bytes | None = None) -> Any:
    """A call of the storage by an address of run history: what stands before the @ is for clients that look for a suffix."""
    url, headers = "https://" + place["contentUri"].partition("@")[2], {"x-ms-blob-type": "BlockBlob"}
    return session.request(verb, url, data=data, headers={**headers, "Authorization": None}, timeout=30)


@pytest.mark.skipif(not PLUGIN, reason="AZUREML_MLFLOW_PYTHON names no interpreter with azureml-mlflow")
def test_the_plugin_tracks_and_keeps_files_at_the_workspaces_own_address(emulator: Emulator) -> None:
    workspace = Session(emulator).ask("GET", emulator.scope, **{"api-version": "2024-10-01"}).json()
    told = ran(emulator, PLUGIN, workspace["properties"]["mlFlowTrackingUri"], "files of trees")
    looked_at(told)
    assert told["listed"] == ["a.txt", "folder", "folder/b.txt", "folder/deep"]
    assert told["loaded"] == {"b.txt": "beta", "deep/c.txt": "gamma"}


@pytest.mark.timeout(600)
@pytest.mark.skipif(not PLUGIN, reason="AZUREML_MLFLOW_PYTHON names no interpreter with azureml-mlflow")
def test_the_plugin_keeps_files_of_a_job_that_runs(emulator: Emulator) -> None:
    code = "import mlflow; mlflow.log_metric('loss', 0.5); open('a.txt', 'w').write('alpha'); mlflow.log_artifact('a.txt', 'kept')"
    file = {"dependencies": ["python=3.11", {"pip": ["azureml-mlflow==1.62.0.post2", "mlflow<3.16", "setuptools<80"]}]}
    session = Session(emulator)

    def call(verb: str, path: str, properties: Any = None) -> Any:
        body = properties and {"properties": properties}
        answer = session.ask(verb, f"{emulator.scope}{path}", body, **{"api-version": "2024-01-01-preview"})
        assert answer.ok, answer.text
        return answer.json()

    environment = call(
        "PUT", "/environments/plugin/versions/1", {"image": "example.org/i", "condaFile": json.dumps(file)}
    )
    call(
        "PUT",
        "/jobs/logs",
        {"jobType": "Command", "command": f'python -c "{code}"', "environmentId": environment["id"]},
    )
    ends = time.monotonic() + 500
    while call("GET", "/jobs/logs")["properties"]["status"] not in ("Completed", "Failed"):
        assert time.monotonic() < ends
        time.sleep(1)
    details = session.ask("GET", f"/history/v1.0{emulator.scope}/runs/logs/details").json()
    assert details["status"] == "Completed", details["error"]
    base = f"/history/v1.0{emulator.scope}/experiments/Default/runs/logs/artifacts"
    place = session.ask("GET", f"{base}/contentinfo", path="kept/a.txt").json()
    assert stored(session, "GET", place).content == b"alpha"
