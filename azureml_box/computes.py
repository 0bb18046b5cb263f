"""Compute clusters: names with a size and a scale; the nodes are this machine's processes, started per job step."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from azureml_box import compute_instances
from azureml_box.errors import BadRequest, NotFound
from azureml_box.shapes import is_whole
from azureml_box.sizes import find_size
from azureml_box.stamps import now, stamp

if TYPE_CHECKING:
    from azureml_box.context import Box

KIND = "computes"
_TYPES = ("AmlCompute", "ComputeInstance")
_NAME = re.compile(r"^[A-Za-z][A-Za-z0-9-]{0,22}[A-Za-z0-9]$")
# Fields that the service answers though nobody sent them, as recorded of a cluster.
_UNSET = {"disableLocalAuth": False, "resourceId": None}
_UNSET_CLUSTER: dict[str, Any] = {
    "subnet": None,
    "errors": None,
    "virtualMachineImage": None,
    "isolatedNetwork": False,
    "propertyBag": {},
}
_BUSY = {"Preparing", "Running", "Finalizing", "CancelRequested"}


def find(box: Box, name: str) -> dict[str, Any]:
    """The cluster's document; names are compared without case."""
    doc = box.store.get(KIND, name.lower())
    if doc is None:
        raise NotFound(f"Resource not found: compute {name!r} in workspace {box.config.workspace!r}.")
    return doc


def document(box: Box, name: str, sent: dict[str, Any], before: dict[str, Any] | None) -> dict[str, Any]:
    """What is stored of a cluster that was sent; raises BadRequest."""
    outer = sent.get("properties") or {}
    inner = _checked(box, name, sent.get("location"), outer)
    if outer["computeType"] == "ComputeInstance":
        inner = compute_instances.created(inner, before)
    moment = now()
    created = before["properties"]["createdOn"] if before else moment
    properties = {
        **_UNSET,
        **outer,
        "computeLocation": box.config.location,
        "provisioningState": "Succeeded",
        "provisioningErrors": None,
        "createdOn": created,
        "modifiedOn": moment,
        "isAttachedCompute": False,
        "properties": inner,
    }
    return {
        "id": f"{box.config.workspace_scope}/computes/{name}",
        "name": name,
        "type": "Microsoft.MachineLearningServices/workspaces/computes",
        "location": box.config.location,
        "tags": sent.get("tags") or {},
        "identity": sent.get("identity"),
        "systemData": stamp(before),
        "properties": properties,
    }


def _checked(box: Box, name: str, location: str | None, outer: dict[str, Any]) -> dict[str, Any]:
    inner: dict[str, Any] = dict(outer.get("properties") or {})
    kind = outer.get("computeType")
    if kind not in _TYPES:
        message = f"Compute type {kind!r} is not emulated; {' and '.join(_TYPES)} are."
        raise BadRequest(message, target="properties.computeType")
    if not _NAME.match(name):
        raise BadRequest(f"Compute name {name!r} is invalid: 2 to 24 letters, digits and '-', beginning with a letter.")
    if location and location.lower() != box.config.location.lower():
        raise BadRequest(f"Location {location!r} is not the emulator's: {box.config.location!r}.", target="location")
    size = find_size(str(inner.get("vmSize") or ""))
    if size is None:
        message = f"The specified Azure ML Compute VM size {inner.get('vmSize')} is invalid; see {{location}}/vmSizes."
        raise BadRequest(message, target="properties.properties.vmSize")
    return inner if kind == "ComputeInstance" else _scaled(inner)


def _scaled(inner: dict[str, Any]) -> dict[str, Any]:
    scale: dict[str, Any] = {"minNodeCount": 0, "maxNodeCount": 1, "nodeIdleTimeBeforeScaleDown": "PT120S"}
    given = inner.get("scaleSettings") or {}
    if not isinstance(given, dict):
        raise BadRequest("scaleSettings must be an object.", target="properties.properties.scaleSettings")
    scale |= {key: value for key, value in given.items() if value is not None}
    least, most = scale["minNodeCount"], scale["maxNodeCount"]
    if not (is_whole(least) and is_whole(most) and least <= most):
        raise BadRequest("0 <= minNodeCount <= maxNodeCount must hold.", target="properties.properties.scaleSettings")
    inner = {**_UNSET_CLUSTER, **inner, "scaleSettings": scale}
    inner["vmPriority"] = inner.get("vmPriority") or "Dedicated"
    return inner


def running(box: Box) -> Counter[str]:
    """How many of the latest jobs run on each compute, by its name in lower case."""
    return Counter(where for job in box.store.list("jobs", newest_first=True, limit=200) if (where := _place(job)))


def with_nodes(doc: dict[str, Any], running: Counter[str]) -> dict[str, Any]:
    """The document with what its nodes do now, given what runs; an instance has no others."""
    if doc["properties"]["computeType"] != "AmlCompute":
        return doc
    inner = doc["properties"]["properties"]
    busy, scale = running[doc["name"].lower()], inner["scaleSettings"]
    count = min(max(busy, int(scale["minNodeCount"])), int(scale["maxNodeCount"]))
    idle = max(count - busy, 0)
    inner |= {
        "allocationState": "Resizing" if doc["properties"]["provisioningState"] == "Updating" else "Steady",
        "allocationStateTransitionTime": doc["properties"]["modifiedOn"],
        "currentNodeCount": count,
        "targetNodeCount": count,
        "nodeStateCounts": {
            "idleNodeCount": idle,
            "runningNodeCount": count - idle,
            "preparingNodeCount": 0,
            "leavingNodeCount": 0,
            "unusableNodeCount": 0,
            "preemptedNodeCount": 0,
        },
    }
    return doc


def _place(job: dict[str, Any]) -> str:
    """The compute on which a command runs now; empty where none does."""
    properties = job.get("properties") or {}
    if properties.get("jobType") != "Command" or properties.get("status") not in _BUSY:
        return ""
    return str(properties.get("computeId") or "").rsplit("/", 1)[-1].lower()
