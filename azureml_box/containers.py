"""Asset containers: the name that versions share, with the latest and the next version."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from azureml_box import assets
from azureml_box.errors import NotFound
from azureml_box.stamps import stamp

if TYPE_CHECKING:
    from azureml_box.context import Box

_NUMBER = re.compile(r"[0-9]{1,255}")


def identifier(box: Box, kind: str, scope: str, name: str) -> str:
    """The container's id: an ARM id in the workspace, `azureml://` in a registry, where the SDK refuses ARM ids."""
    if scope == assets.WORKSPACE:
        return f"{box.config.workspace_scope}/{kind}/{name}"
    return f"azureml://registries/{scope}/{kind}/{name}"


def table(kind: str) -> str:
    """Under what the store has the containers of a kind; one is there for as long as there is a version, or a PUT of its own."""
    return f"{kind}.containers"


def get(box: Box, kind: str, scope: str, name: str) -> dict[str, Any]:
    """One container, or NotFound when it has neither versions nor a PUT of its own."""
    kept = box.store.get(table(kind), assets.key(scope, name))
    if kept is None or not _is_there(box, kind, scope, kept):
        raise _missing(kind, scope, name)
    return document(box, kind, scope, kept)


def _missing(kind: str, scope: str, name: str) -> NotFound:
    error = NotFound(f"Could not find asset with ID: {kind}/{name} in {scope}.", "UserError")
    if kind == "models":  # as recorded; the detail's code of the other kinds is not known
        words = f"Model container with name: {name} not found."
        error.details = [{"code": "ModelNotFound", "message": words, "details": [], "additionalInfo": []}]
    return error


def is_listed(box: Box, kind: str, scope: str, kept: dict[str, Any]) -> bool:
    """Whether a list shows what the store keeps of a container: not where all its versions are anonymous."""
    return not kept.get("_anonymous") and _is_there(box, kind, scope, kept)


def put(box: Box, kind: str, scope: str, name: str, properties: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    """Keep tags, description and the archive flag; (container, whether it is new)."""
    key = assets.key(scope, name)
    before = box.store.get(table(kind), key)
    hidden = bool(before and before.get("_anonymous"))
    kept = {"name": name, "properties": properties, "systemData": stamp(before), "_anonymous": hidden}
    box.store.put(table(kind), key, kept)
    return document(box, kind, scope, kept), before is None


def keep_version(box: Box, kind: str, doc: dict[str, Any]) -> None:
    """Store a version, and its container before it."""
    scope, name = doc["_scope"], doc["_name"]
    key, hidden = assets.key(scope, name), bool(doc["properties"]["isAnonymous"])
    before = box.store.get(table(kind), key)
    if before is None:
        kept = {
            "name": name,
            "properties": {},
            "systemData": doc["systemData"],
            "_implicit": True,
            "_anonymous": hidden,
        }
        box.store.put(table(kind), key, kept)
    elif before.get("_anonymous") and not hidden:
        box.store.put(table(kind), key, {**before, "_anonymous": False})
    box.store.put(kind, assets.key(scope, name, doc["name"]), doc)


def remove_version(box: Box, kind: str, scope: str, name: str, version: str) -> bool:
    """Remove a version, and after the last one the container that came with the first; True if there was one."""
    key = assets.key(scope, name)
    gone = box.store.delete(kind, assets.key(scope, name, version))
    kept = box.store.get(table(kind), key)
    if kept is not None and not _is_there(box, kind, scope, kept):
        box.store.delete(table(kind), key)
    return gone


def next_number(box: Box, kind: str, scope: str, name: str) -> str:
    """The version after the highest number that there is."""
    numbers = (int(found) for found in box.store.names(kind, assets.key(scope, name)) if _NUMBER.fullmatch(found))
    return str(max(numbers, default=0) + 1)


def _is_there(box: Box, kind: str, scope: str, kept: dict[str, Any]) -> bool:
    return not kept.get("_implicit") or bool(box.store.page(kind, 1, below=assets.key(scope, kept["name"])))


def _moment() -> str:
    """The next version of a component that has one: the time, to 100 ns (asked for so by the SDK's own tests)."""
    return datetime.now(UTC).strftime("%Y-%m-%d-%H-%M-%S-%f") + "0"


def document(box: Box, kind: str, scope: str, kept: dict[str, Any]) -> dict[str, Any]:
    """A container as ARM shows it, from what the store keeps of it."""
    name, own = kept["name"], kept["properties"]
    last = next(box.store.walk(kind, assets.key(scope, name), newest_first=True), None)
    latest = assets.newest(box, kind, scope, name) or last
    properties = {
        **own,
        "description": own.get("description"),
        "tags": own.get("tags") or {},
        "properties": own.get("properties") or {},
        "isArchived": bool(own.get("isArchived")),
        "latestVersion": latest and latest["name"],
        "nextVersion": _moment() if kind == "components" and last else next_number(box, kind, scope, name),
    }
    if kind == "data" and last:
        properties["dataType"] = last["properties"]["dataType"]
    return {
        "id": identifier(box, kind, scope, name),
        "name": name,
        "type": f"Microsoft.MachineLearningServices/workspaces/{kind}",
        "systemData": kept["systemData"],
        "properties": properties,
    }
