"""Runs as MLflow sees them: every job is one, and a client may begin runs that only track."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from azureml_box.jobs import documents
from azureml_box.jobs.mlflow.errors import invalid, listed, missing
from azureml_box.jobs.reuse import origin
from azureml_box.stamps import now

if TYPE_CHECKING:
    from azureml_box.context import Box

KIND = "tracking"
# learn.microsoft.com/azure/machine-learning/how-to-track-experiments-mlflow, "filter runs by status"
_STATES = {
    "Completed": "FINISHED",
    "Failed": "FAILED",
    "Canceled": "KILLED",
    "Queued": "SCHEDULED",
    "NotStarted": "SCHEDULED",
    "Preparing": "SCHEDULED",
}
_BACK = {"FINISHED": "Completed", "FAILED": "Failed", "KILLED": "Canceled", "RUNNING": "Running", "SCHEDULED": "Queued"}


def find(box: Box, sent: dict[str, Any]) -> dict[str, Any]:
    """The job that a call is about."""
    name = str(sent.get("run_id") or sent.get("run_uuid") or "")
    doc = box.store.get(documents.KIND, name)
    if doc is None:
        raise missing(f"Run with id={name} not found")
    return doc


def data(box: Box, run: str) -> dict[str, Any]:
    """What was logged under a run's own name."""
    return box.store.get(KIND, run) or {"metrics": {}, "params": {}, "tags": {}}


def get(box: Box, sent: dict[str, Any]) -> dict[str, Any]:
    """A run with the last value of each metric."""
    return {"run": document(box, find(box, sent))}


def document(box: Box, doc: dict[str, Any]) -> dict[str, Any]:
    """A job as a run; a reused step shows the metrics and parameters of the one that ran."""
    properties, logged = doc["properties"], data(box, origin(doc))
    tags = {**properties["tags"], **data(box, doc["name"])["tags"], "mlflow.runName": properties["displayName"]}
    if doc["_parent"]:
        tags["mlflow.parentRunId"] = doc["_parent"]
    return {
        "info": _info(doc),
        "data": {
            "metrics": [max(points, key=_order) for points in logged["metrics"].values()],
            "params": [{"key": key, "value": value} for key, value in logged["params"].items()],
            "tags": [{"key": key, "value": str(value)} for key, value in tags.items()],
        },
        "inputs": {},
    }


def _info(doc: dict[str, Any]) -> dict[str, Any]:
    properties = doc["properties"]
    return {
        "run_id": doc["name"],
        "run_uuid": doc["name"],
        "run_name": properties["displayName"],
        "experiment_id": properties["experimentName"],
        "user_id": "azureml_box",
        "status": _STATES.get(properties["status"], "RUNNING"),
        "start_time": millis(doc.get("_started") or doc["_created"]),
        "end_time": millis(doc.get("_ended")),
        "artifact_uri": f"azureml://experiments/{properties['experimentName']}/runs/{doc['name']}/artifacts",
        "lifecycle_stage": "deleted" if properties["isArchived"] else "active",
    }


def _order(point: dict[str, Any]) -> tuple[int, int]:
    return int(point.get("step", 0)), int(point.get("timestamp", 0))


def millis(stamp: str | None) -> int | None:
    """A moment as MLflow counts it."""
    return round(datetime.fromisoformat(stamp).timestamp() * 1000) if stamp else None


def _stamp(millis: Any) -> str:
    if not millis:
        return now()
    try:
        return datetime.fromtimestamp(int(millis) / 1000, UTC).isoformat().replace("+00:00", "Z")
    except (TypeError, ValueError, OverflowError, OSError):
        raise invalid(f"Invalid value {millis!r} for a time in milliseconds.") from None


def create(box: Box, sent: dict[str, Any]) -> dict[str, Any]:
    """A run that only tracks: nothing is executed for it."""
    name = str(uuid.uuid4())
    tags = {str(tag.get("key")): str(tag.get("value")) for tag in listed(sent, "tags", dict)}
    experiment = str(sent.get("experiment_id") or "Default")
    shown = {"jobType": "Command", "displayName": str(sent.get("run_name") or name), "experimentName": experiment}
    doc = documents.make(box, name, shown, parent=None, root=name)
    doc["properties"]["status"], doc["_tracked_only"] = "Running", True
    doc["_started"] = _stamp(sent.get("start_time"))
    box.store.put(documents.KIND, name, doc)
    box.store.put(KIND, name, {**data(box, name), "tags": tags})
    return {"run": document(box, doc)}


def update(box: Box, sent: dict[str, Any]) -> dict[str, Any]:
    """A run's status and name."""
    doc = find(box, sent)
    # What a job engine runs has states of its own; a client may end only runs that it tracks itself.
    if sent.get("status") and doc.get("_tracked_only"):
        status = doc["properties"]["status"] = _BACK.get(str(sent["status"]), "Running")
        doc["_ended"] = _stamp(sent.get("end_time")) if status in documents.ENDS else None
    if sent.get("run_name"):
        doc["properties"]["displayName"] = str(sent["run_name"])
    box.store.put(documents.KIND, doc["name"], doc)
    return {"run_info": _info(doc)}


def delete(box: Box, sent: dict[str, Any]) -> dict[str, Any]:
    """Hides a run, as archiving a job does."""
    return _archive(box, sent, True)


def restore(box: Box, sent: dict[str, Any]) -> dict[str, Any]:
    """Shows it again."""
    return _archive(box, sent, False)


def _archive(box: Box, sent: dict[str, Any], archived: bool) -> dict[str, Any]:
    doc = find(box, sent)
    doc["properties"]["isArchived"] = archived
    box.store.put(documents.KIND, doc["name"], doc)
    return {}
