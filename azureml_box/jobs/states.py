"""A job's way through its states; each change is kept and published at once.

Events: learn.microsoft.com/azure/event-grid/event-schema-machine-learning (`RunStatusChanged`, `RunCompleted`).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from azureml_box.jobs import documents
from azureml_box.stamps import now

if TYPE_CHECKING:
    from azureml_box.context import Box

_PREFIX = "Microsoft.MachineLearningServices."


def enter(box: Box, name: str, status: str, error: str = "", keep: tuple[str, ...] = ()) -> None:
    """Moves a job to a state; one that has ended, or is in one of `keep`, stays as it is."""
    doc = documents.get(box, name)
    properties = doc["properties"]
    if properties["status"] in (*documents.ENDS, *keep, status):
        return
    properties["status"] = status
    if status == "Preparing":
        doc["_placed"] = now()
    if status == "Running" and not doc.get("_started"):
        doc["_started"] = properties["startTimeUtc"] = now()
    if status in documents.ENDS:
        doc["_ended"] = properties["endTimeUtc"] = now()
    if error:
        doc["_error"] = error
    box.store.put(documents.KIND, name, doc)
    _publish(box, doc)


def bill(box: Box, name: str) -> None:
    """Counts the seconds for which a job had its place; a reused step has none to pay."""
    doc = documents.get(box, name)
    if doc.get("_placed") and not doc.get("_reused"):
        took = datetime.now(UTC) - datetime.fromisoformat(doc["_placed"])
        doc["_billed_seconds"] = round(took.total_seconds(), 3)
        box.store.put(documents.KIND, name, doc)


def _publish(box: Box, doc: dict[str, Any]) -> None:
    properties = doc["properties"]
    experiment = properties["experimentName"]
    data = {
        "experimentId": experiment,
        "experimentName": experiment,
        "runId": doc["name"],
        "runType": None,
        "runTags": properties["tags"],
        "runProperties": properties["properties"],
    }
    subject = f"experiments/{experiment}/runs/{doc['name']}"
    box.events.publish(f"{_PREFIX}RunStatusChanged", subject, {**data, "runStatus": properties["status"].lower()})
    if properties["status"] == "Completed":
        box.events.publish(f"{_PREFIX}RunCompleted", subject, data)
