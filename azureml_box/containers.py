"""Asset containers: the name that versions share, with the latest and the next version."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from azureml_box import assets
from azureml_box.errors import NotFound
from azureml_box.stamps import stamp

if TYPE_CHECKING:
    from azureml_box.context import Box


def identifier(box: Box, kind: str, scope: str, name: str) -> str:
    """The container's id: an ARM id in the workspace, `azureml://` in a registry, where the SDK refuses ARM ids."""
    if scope == assets.WORKSPACE:
        return f"{box.config.workspace_scope}/{kind}/{name}"
    return f"azureml://registries/{scope}/{kind}/{name}"


def get(box: Box, kind: str, scope: str, name: str) -> dict[str, Any]:
    """One container, or NotFound when it has neither versions nor a PUT of its own."""
    versions = box.store.list(kind, assets.key(scope, name))
    kept = box.store.get(_kept(kind), assets.key(scope, name))
    if not versions and kept is None:
        raise _missing(kind, scope, name)
    return _document(box, kind, scope, name, versions, kept)


def _missing(kind: str, scope: str, name: str) -> NotFound:
    error = NotFound(f"Could not find asset with ID: {kind}/{name} in {scope}.", "UserError")
    if kind == "models":  # as recorded; the detail's code of the other kinds is not known
        words = f"Model container with name: {name} not found."
        error.details = [{"code": "ModelNotFound", "message": words, "details": [], "additionalInfo": []}]
    return error


def listing(box: Box, kind: str, scope: str) -> list[dict[str, Any]]:
    """All containers of a kind in a scope, in order of their first version."""
    by_name: dict[str, list[dict[str, Any]]] = {}
    for doc in box.store.list(kind, f"{scope}|"):
        by_name.setdefault(doc["_name"], []).append(doc)
    kept = {doc["name"]: doc for doc in box.store.list(_kept(kind), f"{scope}|")}
    names = [*by_name, *(name for name in kept if name not in by_name)]
    found = [_document(box, kind, scope, name, by_name.get(name, []), kept.get(name)) for name in names]
    return [doc for doc in found if not doc["_anonymous"]]


def put(box: Box, kind: str, scope: str, name: str, properties: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    """Keep tags, description and the archive flag; (container, whether it is new)."""
    key = assets.key(scope, name)
    before = box.store.get(_kept(kind), key)
    versions = box.store.list(kind, key)
    box.store.put(_kept(kind), key, {"name": name, "properties": properties, "systemData": stamp(before)})
    return get(box, kind, scope, name), before is None and not versions


def _kept(kind: str) -> str:
    return f"{kind}.containers"


def _moment() -> str:
    """The next version of a component that has one: the time, to 100 ns (asked for so by the SDK's own tests)."""
    return datetime.now(UTC).strftime("%Y-%m-%d-%H-%M-%S-%f") + "0"


def _document(
    box: Box, kind: str, scope: str, name: str, versions: list[dict[str, Any]], kept: dict[str, Any] | None
) -> dict[str, Any]:
    own = (kept or {}).get("properties") or {}
    active = [doc for doc in versions if not doc["properties"]["isArchived"]]
    numbers = [int(doc["name"]) for doc in versions if doc["name"].isdigit()]
    properties = {
        **own,
        "description": own.get("description"),
        "tags": own.get("tags") or {},
        "properties": own.get("properties") or {},
        "isArchived": bool(own.get("isArchived")),
        "latestVersion": (active or versions)[-1]["name"] if versions else None,
        "nextVersion": _moment() if kind == "components" and versions else str(max(numbers, default=0) + 1),
    }
    if kind == "data" and versions:
        properties["dataType"] = versions[-1]["properties"]["dataType"]
    return {
        "id": identifier(box, kind, scope, name),
        "name": name,
        "type": f"Microsoft.MachineLearningServices/workspaces/{kind}",
        "systemData": (kept or (versions[0] if versions else {})).get("systemData") or stamp(),
        "properties": properties,
        "_anonymous": bool(versions) and all(doc["properties"]["isAnonymous"] for doc in versions),
    }
