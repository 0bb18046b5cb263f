"""Registries: those that the emulator was started with, and those that are made by PUT.

Shapes: azure-ai-ml 1.35 (`Registry`, 2022-10-01-preview); the answer to PUT is 202 with a poll URL, as the SDK says of it.
"""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from azureml_box import containers
from azureml_box.errors import BadRequest, NotFound
from azureml_box.http import accepted, body, json, public
from azureml_box.provisioning import BUSY, must_rest, settle
from azureml_box.stamps import stamp

if TYPE_CHECKING:
    from azureml_box.context import Box

KIND = "registries"
# The pattern of `registryName` in the ARM reference.
_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9\-_]{2,32}")


def names(box: Box) -> list[str]:
    """All registries, in the order in which they were made."""
    return [*box.config.registries, *(doc["name"] for doc in box.store.list(KIND))]


def known(box: Box, name: str) -> str:
    """The registry's name, or NotFound."""
    if name not in names(box):
        there = ", ".join(names(box)) or "none"
        raise NotFound(f"There is no registry {name!r}. Known: {there}.", "RegistryNotFound")
    return name


def routes(box: Box) -> list[Route]:
    """List, GET, PUT and DELETE."""

    async def listing(_request: Request) -> Response:
        return json({"value": [public(_find(box, name)) for name in names(box)]})

    async def get(request: Request) -> Response:
        return json(_find(box, request.path_params["registry"]))

    async def put(request: Request) -> Response:
        return await _put(box, request)

    async def delete(request: Request) -> Response:
        return _delete(box, request)

    one = box.config.registry_scope("{registry}")
    handlers = {"GET": get, "PUT": put, "DELETE": delete}
    single = [Route(one, handler, methods=[method]) for method, handler in handlers.items()]
    return [Route(one.rsplit("/", 1)[0], listing), *single]


def _find(box: Box, name: str) -> dict[str, Any]:
    known(box, name)
    given = box.store.get(KIND, name)
    return given or _document(box, name, {"location": box.config.location, "properties": {}}, None)


async def _put(box: Box, request: Request) -> Response:
    name, sent = request.path_params["registry"], await body(request)
    if not _NAME.fullmatch(name):
        raise BadRequest(
            f"Registry name {name!r} is invalid: 3 to 33 letters, digits, '-' and '_', a letter or digit first."
        )
    if not sent.get("location"):
        raise BadRequest("location is required.", "LocationRequired", "location")
    before = box.store.get(KIND, name)
    must_rest("registry", before)
    doc = _document(box, name, sent, before)
    work = box.provisioning.begin("registries", name, doc, "update" if before else "create")
    if name not in box.config.registries:
        box.store.put(KIND, name, doc)
    finish = settle(work, lambda state: _enter(box, name, state)) if work else None
    return accepted(box, request, box.operations.start("put registry", finish), doc, 202)


def _enter(box: Box, name: str, state: str) -> None:
    doc = box.store.get(KIND, name)
    if doc is not None:
        doc["properties"]["provisioningState"] = state
        box.store.put(KIND, name, doc)


def fail_unfinished(box: Box) -> None:
    """Fail what a former process left unfinished, and finish what it was deleting."""
    for doc in box.store.list(KIND):
        state = doc["properties"].get("provisioningState")
        if state == "Deleting":
            _forget(box, doc["name"])
        elif state in BUSY:
            _enter(box, doc["name"], "Failed")


def _delete(box: Box, request: Request) -> Response:
    name = request.path_params["registry"]
    if name in box.config.registries:
        raise BadRequest(f"The emulator was started with registry {name!r}; it can't be deleted.")
    doc = box.store.get(KIND, name)
    if doc is None:
        return Response(status_code=204)
    must_rest("registry", doc)
    work = box.provisioning.begin("registries", name, doc, "delete")
    if work is None:
        _forget(box, name)
        return accepted(box, request, box.operations.start("delete registry"))
    box.store.put(KIND, name, doc)

    async def finish() -> None:
        await settle(work, lambda state: _enter(box, name, state), done="")
        _forget(box, name)

    return accepted(box, request, box.operations.start("delete registry", finish()))


def _forget(box: Box, name: str) -> None:
    """The registry with all that is in it."""
    box.store.delete(KIND, name)
    for kind in ("models", "components", "environments", "data", "codes"):
        for table in (kind, containers.table(kind)):
            box.store.delete_all(table, f"{name}|")


def _document(box: Box, name: str, sent: dict[str, Any], before: dict[str, Any] | None) -> dict[str, Any]:
    given, config = sent.get("properties") or {}, box.config
    regions = given.get("regionDetails") or [{"location": sent["location"]}]
    mlflow = f"{config.base_url}/mlflow/v1.0{config.registry_scope(name)}".replace("https://", "azureml://", 1)
    properties = {
        "publicNetworkAccess": given.get("publicNetworkAccess") or "Enabled",
        "discoveryUrl": f"{config.base_url}/registrymanagement/v1.0/registries/{name}/discovery",
        "intellectualPropertyPublisher": given.get("intellectualPropertyPublisher"),
        "mlFlowRegistryUri": mlflow,
        "regionDetails": regions,
    }
    principal = ((before or {}).get("identity") or {}).get("principalId") or str(uuid.uuid4())
    return {
        "id": config.registry_scope(name),
        "name": name,
        "type": "Microsoft.MachineLearningServices/registries",
        "location": sent["location"],
        "tags": sent.get("tags") or {},
        "identity": {"type": "SystemAssigned", "tenantId": config.tenant, "principalId": principal},
        "systemData": stamp(before),
        "properties": properties,
    }
