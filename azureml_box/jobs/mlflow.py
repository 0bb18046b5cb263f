"""MLflow's tracking API: runs, metrics, parameters, tags (mlflow.org/docs/latest/rest-api.html)."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from azureml_box.http import body
from azureml_box.jobs import documents

if TYPE_CHECKING:
    from azureml_box.context import Box

KIND = "tracking"
_PAGE = 25_000
_STATES = {
    "Completed": "FINISHED",
    "Failed": "FAILED",
    "Canceled": "KILLED",
    "Queued": "SCHEDULED",
    "NotStarted": "SCHEDULED",
}
_BACK = {"FINISHED": "Completed", "FAILED": "Failed", "KILLED": "Canceled", "RUNNING": "Running", "SCHEDULED": "Queued"}
Call = Callable[["Box", dict[str, Any]], dict[str, Any]]


class Refused(Exception):
    """An error in MLflow's own envelope."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def routes(box: Box) -> list[BaseRoute]:
    """One route a call of the API."""
    base = f"/mlflow/v2.0{box.config.workspace_scope}/api/2.0/mlflow"
    calls: dict[str, tuple[str, Call]] = {
        "runs/get": ("GET", get_run),
        "runs/search": ("POST", search),
        "runs/create": ("POST", create),
        "runs/update": ("POST", update),
        "runs/log-metric": ("POST", log_metric),
        "runs/log-batch": ("POST", log_batch),
        "runs/log-parameter": ("POST", log_parameter),
        "runs/set-tag": ("POST", set_tag),
        "metrics/get-history": ("GET", history),
        "experiments/get-by-name": ("GET", experiment_by_name),
        "experiments/get": ("GET", experiment_by_id),
    }
    return [Route(f"{base}/{path}", _handler(box, call), methods=[verb]) for path, (verb, call) in calls.items()]


def _handler(box: Box, call: Call) -> Callable[[Request], Any]:
    async def handle(request: Request) -> Response:
        sent = dict(request.query_params) if request.method == "GET" else await body(request)
        try:
            return JSONResponse(call(box, sent))
        except Refused as error:
            return JSONResponse({"error_code": error.code, "message": error.message}, status_code=error.status)

    return handle


def _job(box: Box, sent: dict[str, Any]) -> dict[str, Any]:
    name = str(sent.get("run_id") or sent.get("run_uuid") or "")
    doc = box.store.get(documents.KIND, name)
    if doc is None:
        raise Refused(404, "RESOURCE_DOES_NOT_EXIST", f"Run with id={name} not found")
    return doc


def _data(box: Box, run: str) -> dict[str, Any]:
    return box.store.get(KIND, run) or {"metrics": {}, "params": {}, "tags": {}}


def get_run(box: Box, sent: dict[str, Any]) -> dict[str, Any]:
    """A run with the last value of each metric."""
    return {"run": _run(box, _job(box, sent))}


def _run(box: Box, doc: dict[str, Any]) -> dict[str, Any]:
    properties, data = doc["properties"], _data(box, doc["name"])
    info = {
        "run_id": doc["name"],
        "run_uuid": doc["name"],
        "run_name": properties["displayName"],
        "experiment_id": properties["experimentName"],
        "user_id": "azureml_box",
        "status": _STATES.get(properties["status"], "RUNNING"),
        "start_time": _millis(doc.get("_started") or doc["_created"]),
        "end_time": _millis(doc.get("_ended")),
        "artifact_uri": f"azureml://experiments/{properties['experimentName']}/runs/{doc['name']}/artifacts",
        "lifecycle_stage": "active",
    }
    tags = {**properties["tags"], **data["tags"], "mlflow.runName": properties["displayName"]}
    if doc["_parent"]:
        tags["mlflow.parentRunId"] = doc["_parent"]
    return {
        "info": info,
        "data": {
            "metrics": [max(points, key=_order) for points in data["metrics"].values()],
            "params": [{"key": key, "value": value} for key, value in data["params"].items()],
            "tags": [{"key": key, "value": str(value)} for key, value in tags.items()],
        },
        "inputs": {},
    }


def _order(point: dict[str, Any]) -> tuple[int, int]:
    return int(point.get("step", 0)), int(point.get("timestamp", 0))


def _millis(stamp: str | None) -> int | None:
    return int(datetime.fromisoformat(stamp).timestamp() * 1000) if stamp else None


def search(box: Box, sent: dict[str, Any]) -> dict[str, Any]:
    """The runs of experiments, newest first; filters on tags' parent run only."""
    wanted = set(sent.get("experiment_ids") or [])
    docs = box.store.list(documents.KIND, newest_first=True)
    text = str(sent.get("filter") or "")
    if text and "mlflow.parentRunId" not in text:
        raise Refused(501, "NOT_IMPLEMENTED", f"the filter {text!r} is not supported here")
    parent = text.split("=", 1)[1].strip().strip("'\"") if text else ""
    found = [
        doc
        for doc in docs
        if (not wanted or doc["properties"]["experimentName"] in wanted) and (not parent or doc["_parent"] == parent)
    ]
    return {"runs": [_run(box, doc) for doc in found[: int(sent.get("max_results") or 1000)]]}


def create(box: Box, sent: dict[str, Any]) -> dict[str, Any]:
    """A run that only tracks: nothing is executed for it."""
    name = str(uuid.uuid4())
    shown = {
        "jobType": "Command",
        "displayName": sent.get("run_name") or name,
        "experimentName": sent.get("experiment_id"),
    }
    doc = documents.make(box, name, shown, parent=None, root=name)
    doc["properties"]["status"], doc["_tracked_only"] = "Running", True
    box.store.put(documents.KIND, name, doc)
    for tag in sent.get("tags") or []:
        set_tag(box, {"run_id": name, **tag})
    return {"run": _run(box, doc)}


def update(box: Box, sent: dict[str, Any]) -> dict[str, Any]:
    """A run's status and name."""
    doc = _job(box, sent)
    # What a job engine runs has states of its own; a client may end only runs that it tracks itself.
    if sent.get("status") and doc.get("_tracked_only"):
        doc["properties"]["status"] = _BACK.get(str(sent["status"]), "Running")
    if sent.get("run_name"):
        doc["properties"]["displayName"] = sent["run_name"]
    box.store.put(documents.KIND, doc["name"], doc)
    return {"run_info": _run(box, doc)["info"]}


def log_batch(box: Box, sent: dict[str, Any]) -> dict[str, Any]:
    """Metrics, parameters and tags at once."""
    run = _job(box, sent)["name"]
    data = _data(box, run)
    for metric in sent.get("metrics") or []:
        point = {
            "key": metric["key"],
            "value": metric["value"],
            "timestamp": int(metric.get("timestamp") or time.time() * 1000),
            "step": int(metric.get("step") or 0),
        }
        data["metrics"].setdefault(metric["key"], []).append(point)
    data["params"].update({entry["key"]: entry["value"] for entry in sent.get("params") or []})
    data["tags"].update({entry["key"]: entry["value"] for entry in sent.get("tags") or []})
    box.store.put(KIND, run, data)
    return {}


def log_metric(box: Box, sent: dict[str, Any]) -> dict[str, Any]:
    """One value of a metric."""
    return log_batch(box, {**sent, "metrics": [sent]})


def log_parameter(box: Box, sent: dict[str, Any]) -> dict[str, Any]:
    """One parameter."""
    return log_batch(box, {**sent, "params": [sent]})


def set_tag(box: Box, sent: dict[str, Any]) -> dict[str, Any]:
    """One tag."""
    return log_batch(box, {"run_id": sent.get("run_id"), "tags": [{"key": sent["key"], "value": sent["value"]}]})


def history(box: Box, sent: dict[str, Any]) -> dict[str, Any]:
    """All values of a metric, paged."""
    points = _data(box, _job(box, sent)["name"])["metrics"].get(str(sent.get("metric_key")), [])
    start, size = int(sent.get("page_token") or 0), min(int(sent.get("max_results") or _PAGE), _PAGE)
    answer: dict[str, Any] = {"metrics": points[start : start + size]}
    if start + size < len(points):
        answer["next_page_token"] = str(start + size)
    return answer


def experiment_by_name(box: Box, sent: dict[str, Any]) -> dict[str, Any]:
    """An experiment exists as soon as a job names it."""
    return _experiment(box, str(sent.get("experiment_name", "")))


def experiment_by_id(box: Box, sent: dict[str, Any]) -> dict[str, Any]:
    """An experiment's id is its name here."""
    return _experiment(box, str(sent.get("experiment_id", "")))


def _experiment(box: Box, name: str) -> dict[str, Any]:
    if not any(doc["properties"]["experimentName"] == name for doc in box.store.list(documents.KIND)):
        raise Refused(404, "RESOURCE_DOES_NOT_EXIST", f"Could not find experiment with name {name}")
    return {"experiment": {"experiment_id": name, "name": name, "lifecycle_stage": "active", "artifact_location": ""}}
