"""Experiments: one exists as soon as a job names it, or a client makes it; its id is its name here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from azureml_box.jobs import documents
from azureml_box.jobs.mlflow import filters, ordering
from azureml_box.jobs.mlflow.errors import Refused, invalid, listed, missing
from azureml_box.jobs.mlflow.runs import millis
from azureml_box.jobs.mlflow.search import view
from azureml_box.stamps import now

if TYPE_CHECKING:
    from azureml_box.context import Box

KIND = "experiments"
_LONGEST_NAME = 500
_ATTRIBUTES: dict[str, type] = {"name": str, "experiment_id": str, "creation_time": int, "last_update_time": int}


def by_name(box: Box, sent: dict[str, Any]) -> dict[str, Any]:
    """One by its name."""
    return {"experiment": _find(box, str(sent.get("experiment_name", "")))}


def by_id(box: Box, sent: dict[str, Any]) -> dict[str, Any]:
    """One by its id."""
    return {"experiment": _find(box, str(sent.get("experiment_id", "")))}


def create(box: Box, sent: dict[str, Any]) -> dict[str, Any]:
    """A new one, without runs yet."""
    name = str(sent.get("name") or "")
    if not name or len(name) > _LONGEST_NAME:
        raise invalid(f"Invalid experiment name {name[:50]!r}: 1 to {_LONGEST_NAME} characters are wanted.")
    if name in _all(box):
        raise Refused(400, "RESOURCE_ALREADY_EXISTS", f"Experiment '{name}' already exists.")
    tags = {str(tag.get("key")): tag.get("value") for tag in listed(sent, "tags", dict)}
    box.store.put(KIND, name, {"name": name, "created": now(), "tags": tags})
    return {"experiment_id": name}


def set_tag(box: Box, sent: dict[str, Any]) -> dict[str, Any]:
    """One tag."""
    name = _find(box, str(sent.get("experiment_id", "")))["name"]
    kept = box.store.get(KIND, name) or {"name": name, "created": now(), "tags": {}}
    kept["tags"][str(sent.get("key"))] = sent.get("value")
    box.store.put(KIND, name, kept)
    return {}


def search(box: Box, sent: dict[str, Any]) -> dict[str, Any]:
    """Those that a filter lets through, the newest first unless `order_by` says otherwise."""
    clauses = filters.parse(str(sent.get("filter") or ""), _ATTRIBUTES, ("tag",))
    stages = view(sent.get("view_type"))
    found = [(_values(one), one) for one in _all(box).values() if one["lifecycle_stage"] in stages]
    found = [(seen, one) for seen, one in found if all(clause.matches(seen) for clause in clauses)]
    found.sort(key=lambda one: (-one[1]["creation_time"], one[1]["name"]))
    shown, following = ordering.page(ordering.ordered(found, listed(sent, "order_by"), _ATTRIBUTES), sent)
    return {"experiments": [one for _, one in shown], **following}


def _values(one: dict[str, Any]) -> filters.Values:
    tags = {("tag", tag["key"]): tag["value"] for tag in one["tags"]}
    return {**tags, **{("attribute", name): one[name] for name in _ATTRIBUTES}}


def _find(box: Box, name: str) -> dict[str, Any]:
    found = _all(box).get(name)
    if found is None:
        raise missing(f"Could not find experiment with name {name}")
    return found


def _all(box: Box) -> dict[str, dict[str, Any]]:
    times: dict[str, list[str]] = {}
    tags: dict[str, dict[str, Any]] = {}
    for kept in box.store.list(KIND):
        times[kept["name"]], tags[kept["name"]] = [kept["created"]], kept["tags"]
    for doc in box.store.list(documents.KIND):
        times.setdefault(doc["properties"]["experimentName"], []).append(doc["_created"])
    return {name: _document(name, sorted(moments), tags.get(name, {})) for name, moments in times.items()}


def _document(name: str, moments: list[str], tags: dict[str, Any]) -> dict[str, Any]:
    return {
        "experiment_id": name,
        "name": name,
        "artifact_location": "",
        "lifecycle_stage": "active",
        "creation_time": millis(moments[0]),
        "last_update_time": millis(moments[-1]),
        "tags": [{"key": key, "value": value} for key, value in tags.items()],
    }
