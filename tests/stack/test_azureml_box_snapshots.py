"""Back to a snapshot: documents, blobs, files, faults and running jobs, twice, over a real emulator and Azurite."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest
import requests

from azureml_box.alone.azurite import Account
from azureml_box.alone.control import ControlError
from azureml_box.alone.emulator import Emulator

os.environ.setdefault("AZUREML_BOX_AZURITE", str(Path(__file__).parents[2] / "local/storage/node_modules"))
pytest_plugins = ["azureml_box.pytest_plugin"]
pytestmark = pytest.mark.stack


def call(box: Emulator, method: str, path: str, body: Any = None, version: str = "2024-04-01") -> Any:
    headers = {"Authorization": f"Bearer {os.environ['MLFLOW_TRACKING_TOKEN']}"}
    url = f"{box.url}{box.scope}{path}?api-version={version}"
    return requests.request(method, url, json=body, headers=headers, timeout=20)


def put_environment(box: Emulator, version: str) -> None:
    body = {"properties": {"image": "example.org/i:1"}}
    assert call(box, "PUT", f"/environments/plain/versions/{version}", body).status_code == 201


def versions(box: Emulator) -> list[str]:
    return [doc["name"] for doc in call(box, "GET", "/environments/plain/versions").json()["value"]]


def status(box: Emulator, name: str, wanted: str) -> dict[str, Any]:
    ends = time.monotonic() + 30
    headers = {"Authorization": f"Bearer {os.environ['MLFLOW_TRACKING_TOKEN']}"}
    url = f"{box.url}{box.scope}/jobs/{name}?api-version=2024-10-01"
    while True:
        found: dict[str, Any] = requests.get(url, headers=headers, timeout=20).json()
        if found["properties"]["status"] == wanted:
            return found
        assert time.monotonic() < ends, found["properties"]["status"]
        time.sleep(0.1)


def start_sleeper(box: Emulator, mark: Path) -> None:
    properties = {
        "jobType": "Command",
        "command": f"echo $$ > {mark}; sleep 300",
        "environmentId": f"{box.scope}/environments/plain/versions/1",
    }
    headers = {"Authorization": f"Bearer {os.environ['MLFLOW_TRACKING_TOKEN']}"}
    url = f"{box.url}{box.scope}/jobs/sleeper?api-version=2024-10-01"
    requests.put(url, json={"properties": properties}, headers=headers, timeout=20).raise_for_status()
    status(box, "sleeper", "Running")
    while not mark.exists() or not mark.read_text().strip():
        time.sleep(0.05)


def test_the_whole_state_comes_back_as_often_as_wanted(
    azureml_box: Emulator, azureml_box_storage: Account, tmp_path: Path
) -> None:
    from azure.storage.blob import BlobServiceClient

    box, control = azureml_box, azureml_box.control
    container = call(box, "GET", "/datastores/workspaceblobstore", version="2024-10-01").json()["properties"][
        "containerName"
    ]
    account = BlobServiceClient(azureml_box_storage.url, credential=azureml_box_storage.key)
    blobs = account.get_container_client(container)
    put_environment(box, "1")
    for name in ("changed", "gone", "same"):
        blobs.upload_blob(name, name.encode())
    control.add_fault(method="PUT", path="nothing/*", status=500)
    control.snapshot("seed")
    etag = blobs.get_blob_client("same").get_blob_properties().etag
    for number in (1, 2):
        mark = tmp_path / f"pid-{number}"
        put_environment(box, "2")
        blobs.upload_blob("changed", b"other", overwrite=True)
        blobs.delete_blob("gone")
        blobs.upload_blob("new", b"new")
        control.clear_faults()
        start_sleeper(box, mark)
        control.restore("seed")
        assert versions(box) == ["1"]
        found = {name: blobs.download_blob(name).readall() for name in blobs.list_blob_names()}
        assert found == {"changed": b"changed", "gone": b"gone", "same": b"same"}
        assert blobs.get_blob_client("same").get_blob_properties().etag == etag  # what did not change is not sent
        assert [fault["path"] for fault in control.faults()["faults"]] == ["nothing/*"]
        assert not (box.home / "jobs" / "sleeper").exists()
        process = Path(f"/proc/{mark.read_text().strip()}/status")
        assert not process.exists() or "State:\tZ" in process.read_text()
    assert len(control.calls(method="PUT", path="/environments/")) == 3  # the log of calls tells of all


def test_a_job_that_ran_at_the_snapshot_ends_honestly(azureml_box: Emulator, tmp_path: Path) -> None:
    put_environment(azureml_box, "1")
    start_sleeper(azureml_box, tmp_path / "pid")
    azureml_box.control.snapshot("running")
    azureml_box.control.restore("running")
    assert status(azureml_box, "sleeper", "Failed")["properties"]["status"] == "Failed"


def test_a_reset_and_a_restart_keep_snapshots_and_names_are_checked(azureml_box: Emulator) -> None:
    control = azureml_box.control
    put_environment(azureml_box, "1")
    control.snapshot("kept")
    with pytest.raises(ControlError, match="already"):
        control.snapshot("kept")
    control.reset()
    assert call(azureml_box, "GET", "/environments/plain").status_code == 404
    azureml_box.stop()
    azureml_box.start()
    assert [found["name"] for found in control.snapshots()] == ["kept"]
    control.restore("kept")
    assert versions(azureml_box) == ["1"]
    for bad in ("..", ".hidden", "a%2fb", "x" * 65):
        with pytest.raises(ControlError):
            control.snapshot(bad)
    with pytest.raises(ControlError, match="no snapshot 'other'"):
        control.restore("other")
    control.delete_snapshot("kept")
    assert control.snapshots() == []
