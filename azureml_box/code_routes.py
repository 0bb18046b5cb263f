"""Code assets: a SAS to upload to, then a version that says where the upload lies."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from azureml_box import datastores
from azureml_box.errors import NotFound
from azureml_box.http import json

if TYPE_CHECKING:
    from azureml_box.context import Box


def routes(box: Box) -> list[Route]:
    """startPendingUpload in the workspace, tempdatarefs and datarefs in registries."""

    async def pending(_request: Request) -> Response:
        container = datastores.find(box, datastores.DEFAULT)["properties"]["containerName"]
        return json(await upload_reference(box, container))

    async def temporary(request: Request) -> Response:
        container = await registry_container(box, request.path_params["registry"])
        return json(await upload_reference(box, container))

    async def download(request: Request) -> Response:
        return await _download(box, request)

    registry = registry_base(box)
    workspace = box.config.workspace_scope
    return [
        Route(workspace + "/{kind}/{name}/versions/{version}/startPendingUpload", pending, methods=["POST"]),
        Route(registry + "/tempdatarefs/{name}/versions/{version}", temporary, methods=["PUT", "POST"]),
        Route(registry + "/datarefs/{name}/versions/{version}", download, methods=["POST"]),
    ]


def registry_base(box: Box) -> str:
    """The route prefix of registries, on the host that registry discovery names."""
    return f"/mferp/managementfrontend{box.config.registry_scope('{registry}')}"


async def registry_container(box: Box, registry: str) -> str:
    """The container that holds what was uploaded to a registry."""
    if registry not in box.config.registries:
        raise NotFound(f"There is no registry {registry!r}.", "RegistryNotFound")
    container = f"registry-{registry.lower()}"
    await asyncio.to_thread(box.storage.ensure_container, container)
    return container


async def upload_reference(box: Box, container: str, path: str = "") -> dict[str, Any]:
    """What the SDK uploads to, or downloads from."""
    uri = box.storage.blob_url(container, path)
    sas = await asyncio.to_thread(box.storage.container_sas, container)
    account = f"{box.config.group_scope}/providers/Microsoft.Storage/storageAccounts/{box.config.storage_account}"
    reference = {
        "blobUri": uri,
        "storageAccountArmId": account,
        "credential": {"credentialType": "SAS", "sasUri": f"{uri}?{sas}"},
    }
    return {
        "pendingUploadId": "",
        "pendingUploadType": "TemporaryBlobReference",
        "blobReferenceForConsumption": reference,
    }


async def _download(box: Box, request: Request) -> Response:
    registry, name, version = (request.path_params[part] for part in ("registry", "name", "version"))
    container = await registry_container(box, registry)
    for kind in ("models", "data", "codes", "environments", "components"):
        doc = box.store.get(kind, f"{registry}|{name}|{version}")
        if doc is not None:
            await _copy_to_account(box, container, doc)
            return json(await upload_reference(box, container))
    raise NotFound(f"Registry {registry!r} has no asset {name!r} with version {version!r}.")


async def _copy_to_account(box: Box, container: str, doc: dict[str, Any]) -> None:
    """A published folder is read in place by jobs; only who downloads it over the wire needs it as blobs.

    The SDK takes what follows `https://HOST/CONTAINER/` in modelUri for the blob's prefix. With the account in the path, as
    emulated accounts have it, that prefix begins with the container's name, so the copies do too.
    """
    prefix = f"{container}/{doc.get('_prefix')}"
    present = await asyncio.to_thread(box.storage.list, container, prefix)
    if doc.get("_folder") and not present:
        await asyncio.to_thread(box.storage.upload_folder, container, prefix, Path(doc["_folder"]))
