"""Datastores: containers of the workspace's account, with SAS or the caller's identity; other types are records."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from azureml_box import datastores
from azureml_box.errors import BadRequest, Conflict
from azureml_box.http import body, json, listed
from azureml_box.stamps import stamp

if TYPE_CHECKING:
    from azureml_box.context import Box

_SECRETS = ("sasToken", "key", "secrets", "clientSecret")
# By type, what the ARM reference requires (Microsoft.MachineLearningServices/workspaces/datastores). Data lies in AzureBlob
# only; a datastore of another type is a record, and a job that reads from it fails.
_REQUIRED = {
    "AzureBlob": ("accountName", "containerName"),
    "AzureFile": ("accountName", "fileShareName"),
    "AzureDataLakeGen1": ("storeName",),
    "AzureDataLakeGen2": ("accountName", "filesystem"),
}


def routes(box: Box) -> list[Route]:
    """List, GET, PUT, DELETE and listSecrets."""

    async def listing(request: Request) -> Response:
        """All datastores."""
        default_only = request.query_params.get("isDefault", "").lower() == "true"
        return listed(box, request, datastores.KIND, lambda doc: doc["properties"]["isDefault"] or not default_only)

    async def get(request: Request) -> Response:
        """One datastore."""
        return json(datastores.find(box, request.path_params["name"]))

    async def put(request: Request) -> Response:
        """Make or change a datastore over a container of the account."""
        return await _put(box, request)

    async def delete(request: Request) -> Response:
        """Delete a datastore; the workspace keeps its own."""
        name = request.path_params["name"].lower()
        if name in (datastores.DEFAULT, datastores.ARTIFACTS):
            raise Conflict(f"{name!r} belongs to the workspace and can't be deleted.", "UserError")
        return Response(status_code=200 if box.store.delete(datastores.KIND, name) else 204)

    async def secrets(request: Request) -> Response:
        """A SAS for its container."""
        return await _secrets(box, request.path_params["name"])

    base = f"{box.config.workspace_scope}/datastores"
    one = base + "/{name}"
    return [
        Route(base, listing),
        Route(one, get),
        Route(one, put, methods=["PUT"]),
        Route(one, delete, methods=["DELETE"]),
        Route(one + "/listSecrets", secrets, methods=["POST"]),
    ]


async def _put(box: Box, request: Request) -> Response:
    name = request.path_params["name"]
    sent = (await body(request)).get("properties") or {}
    before = box.store.get(datastores.KIND, name.lower())
    properties = _checked(box, sent)
    if request.query_params.get("skipValidation", "false").lower() != "true":
        await _must_be_reached(box, properties)
    properties["isDefault"] = bool(before and before["properties"]["isDefault"])
    doc = {
        "id": f"{box.config.workspace_scope}/datastores/{name}",
        "name": name,
        "type": "Microsoft.MachineLearningServices/workspaces/datastores",
        "systemData": stamp(before),
        "properties": properties,
        "_secrets": _given_secrets(sent) or (before or {}).get("_secrets"),
    }
    box.store.put(datastores.KIND, name.lower(), doc)
    return json(doc, 200 if before else 201)


def _checked(box: Box, sent: dict[str, Any]) -> dict[str, Any]:
    kind = str(sent.get("datastoreType"))
    if kind not in _REQUIRED:
        known = ", ".join(_REQUIRED)
        raise BadRequest(f"Datastore type {kind!r} is not one of {known}.", target="properties.datastoreType")
    for field in _REQUIRED[kind]:
        if not sent.get(field):
            raise BadRequest(f"{field} is required.", target=f"properties.{field}")
    if kind == "AzureBlob" and sent["accountName"] != box.config.storage_account:
        message = f"No storage account {sent['accountName']!r}; the emulator has {box.config.storage_account!r}."
        raise BadRequest(message, target="properties.accountName")
    credentials = sent.get("credentials") or {"credentialsType": "None"}
    defaults = {"protocol": "https", "endpoint": box.config.storage_suffix, "serviceDataAccessAuthIdentity": "None"}
    given = {key: value for key, value in sent.items() if value is not None}
    return {
        "description": None,
        "tags": {},
        "properties": {},
        **({} if kind == "AzureDataLakeGen1" else defaults),
        **given,
        "credentials": {key: value for key, value in credentials.items() if key not in _SECRETS},
    }


def _given_secrets(sent: dict[str, Any]) -> dict[str, Any] | None:
    """What listSecrets gives back; of our own account's containers the emulator makes a SAS of its own instead."""
    given = (sent.get("credentials") or {}).get("secrets")
    return given if given and sent.get("datastoreType") != "AzureBlob" else None


async def _must_be_reached(box: Box, properties: dict[str, Any]) -> None:
    if properties["datastoreType"] != "AzureBlob":
        message = "The emulator has no such storage to validate; create the datastore with skipValidation=true."
        raise BadRequest(message, target="properties.datastoreType")
    await _container_must_exist(box, properties["containerName"])


async def _container_must_exist(box: Box, container: str) -> None:
    if not await asyncio.to_thread(box.storage.container_exists, container):
        message = f"Container {container!r} does not exist in account {box.config.storage_account!r}."
        raise BadRequest(message, target="properties.containerName")


async def _secrets(box: Box, name: str) -> Response:
    doc = datastores.find(box, name)
    properties = doc["properties"]
    if properties["credentials"].get("credentialsType") == "None":
        raise BadRequest(f"Datastore {name!r} has no secrets: it is accessed with the caller's identity.")
    if doc.get("_secrets"):
        return json(doc["_secrets"])
    sas = await asyncio.to_thread(box.storage.container_sas, properties["containerName"])
    return json({"secretsType": "Sas", "sasToken": sas})
