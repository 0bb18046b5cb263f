"""`{WS}/computes`: AmlCompute clusters, and how long they take to be there."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from azureml_box import compute_instances
from azureml_box.computes import KIND, document, find, running, with_nodes
from azureml_box.errors import ArmError
from azureml_box.http import accepted, body, json, listed
from azureml_box.provisioning import BUSY, must_rest, settle
from azureml_box.stamps import now

if TYPE_CHECKING:
    from azureml_box.context import Box


def routes(box: Box) -> list[Route]:
    """List, GET, PUT and DELETE of AmlCompute clusters."""

    async def listing(request: Request) -> Response:
        """All clusters, with what their nodes do now."""
        busy = running(box)
        return listed(box, request, KIND, shown=lambda doc: with_nodes(doc, busy))

    async def get(request: Request) -> Response:
        """One cluster, with what its nodes do now."""
        return json(with_nodes(find(box, request.path_params["name"]), running(box)))

    async def put(request: Request) -> Response:
        """Make, change or resize a cluster; a long-running operation."""
        return await _put(box, request)

    async def delete(request: Request) -> Response:
        """Delete a cluster; a long-running operation."""
        return _delete(box, request)

    base = f"{box.config.workspace_scope}/computes"
    one = base + "/{name}"
    return [
        Route(base, listing),
        Route(one, get),
        Route(one, put, methods=["PUT", "PATCH"]),
        Route(one, delete, methods=["DELETE"]),
    ]


async def _put(box: Box, request: Request) -> Response:
    name = request.path_params["name"]
    before = box.store.get(KIND, name.lower())
    sent = await body(request)
    if request.method == "PATCH":
        sent = _patched(find(box, name), sent)
    must_rest("compute", before)
    doc = document(box, name, sent, before)
    work = box.provisioning.begin("computes", name.lower(), doc, "update" if before else "create")
    box.store.put(KIND, name.lower(), doc)
    operation = box.operations.start("put compute", _settled(box, name, work) if work else None)
    return accepted(box, request, operation, doc, 200 if before else 201)


def _delete(box: Box, request: Request) -> Response:
    name = request.path_params["name"]
    doc = find(box, name)
    must_rest("compute", doc)
    work = box.provisioning.begin("computes", name.lower(), doc, "delete")
    if work is None:
        box.store.delete(KIND, name.lower())
        return accepted(box, request, box.operations.start("delete compute"))
    box.store.put(KIND, name.lower(), doc)

    async def finish() -> None:
        await _settled(box, name, work, done="")
        box.store.delete(KIND, name.lower())

    return accepted(box, request, box.operations.start("delete compute", finish()))


async def _settled(box: Box, name: str, work: Awaitable[None], done: str = "Succeeded") -> None:
    try:
        await settle(work, lambda state: _enter(box, name, state) if state != "Failed" else None, done)
    except ArmError as error:
        _enter(box, name, "Failed", [{"error": {"code": error.code, "message": error.message}}])
        raise


def _enter(box: Box, name: str, state: str, errors: list[dict[str, Any]] | None = None) -> None:
    doc = box.store.get(KIND, name.lower())
    if doc is not None:
        doc["properties"] |= {"provisioningState": state, "provisioningErrors": errors, "modifiedOn": now()}
        box.store.put(KIND, name.lower(), doc)


def fail_unfinished(box: Box) -> None:
    """Fail what a former process left unfinished, and finish what it was deleting."""
    for doc in box.store.list(KIND):
        state = doc["properties"]["provisioningState"]
        if state == "Deleting":
            box.store.delete(KIND, doc["name"].lower())
        elif state in BUSY:
            _enter(box, doc["name"], "Failed")
        compute_instances.settle_unfinished(box, doc)


def _patched(before: dict[str, Any], sent: dict[str, Any]) -> dict[str, Any]:
    old = before["properties"]
    inner = {**old["properties"], **((sent.get("properties") or {}).get("properties") or {})}
    return {**before, "properties": {**old, "properties": inner}}
