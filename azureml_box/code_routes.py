"""Code assets: a SAS to upload to, then a version that says where the upload lies."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from azureml_box import datastores
from azureml_box.asset_documents import version_document
from azureml_box.asset_kinds import common
from azureml_box.containers import keep_version
from azureml_box.errors import NotFound
from azureml_box.http import body, json
from azureml_box.registry_routes import known

if TYPE_CHECKING:
    from azureml_box.context import Box


def routes(box: Box) -> list[Route]:
    """startPendingUpload in the workspace, tempdatarefs and datarefs in registries."""

    async def pending(request: Request) -> Response:
        kind, name, version = (request.path_params[part] for part in ("kind", "name", "version"))
        return json(await upload_reference(box, await _container(box, f"workspace/{kind}/{name}/{version}")))

    async def temporary(request: Request) -> Response:
        registry, name, version = (request.path_params[part] for part in ("registry", "name", "version"))
        known(box, registry)
        asset = str((await body(request)).get("assetId") or f"azureml://registries/{registry}/{name}/{version}")
        return json(await upload_reference(box, await _container(box, asset)))

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


async def _container(box: Box, asset: str) -> str:
    """The container of one asset's upload, as in Azure a workspace's id and 26 letters: uploads never meet."""
    letters = base64.b32encode(hashlib.sha256(asset.encode()).digest()).decode().lower()[:26]
    container = f"{box.config.workspace_id}-{letters}"
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


async def empty_code(box: Box, registry: str, name: str, version: str) -> str:
    """The id of a code asset without files: what a registry's component has that came without code."""
    folder = box.config.home / "empty-code"
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    identity = f"azureml://registries/{registry}/codes/{name}/versions/{version}"
    uri = box.storage.blob_url(await _container(box, identity), name)
    doc = version_document(box, "codes", registry, name, version, {**common({}), "codeUri": uri}, None)
    keep_version(box, "codes", {**doc, "_folder": str(folder), "_prefix": name})
    return identity


async def _download(box: Box, request: Request) -> Response:
    registry, name, version = (request.path_params[part] for part in ("registry", "name", "version"))
    doc = _named(box, known(box, registry), name, version, await body(request))
    if doc is None:
        raise NotFound(f"Registry {registry!r} has no asset {name!r} with version {version!r}.")
    container = f"registry-{registry.lower()}"
    if doc.get("_folder"):
        await asyncio.to_thread(box.storage.ensure_container, container)
        await _copy_folder(box, container, doc)
    else:
        container, path = datastores.resolve(box, doc["_uri"])
        await asyncio.to_thread(_copy_upload, box, container, path)
    return json(await upload_reference(box, container))


def _named(box: Box, registry: str, name: str, version: str, sent: dict[str, Any]) -> dict[str, Any] | None:
    """The asset that `assetId` names; without one, the first kind that has this name and version."""
    kinds = ("models", "data", "codes", "environments", "components")
    asked = str(sent.get("assetId") or "").split("/")
    found = (box.store.get(kind, f"{registry}|{name}|{version}") for kind in kinds if kind in asked or len(asked) < 2)
    return next((doc for doc in found if doc is not None), None)


async def _copy_folder(box: Box, container: str, doc: dict[str, Any]) -> None:
    """A published folder is read in place by jobs; only who downloads it over the wire needs it as blobs.

    The SDK takes what follows `https://HOST/CONTAINER/` in modelUri for the blob's prefix. With the account in the path, as
    emulated accounts have it, that prefix begins with the container's name, so the copies do too.
    """
    prefix = f"{container}/{doc.get('_prefix')}"
    present = await asyncio.to_thread(box.storage.list, container, prefix)
    if not present:
        await asyncio.to_thread(box.storage.upload_folder, container, prefix, Path(doc["_folder"]))


def _copy_upload(box: Box, container: str, path: str) -> None:
    """What was uploaded gets copies under the same doubled prefix, for the same reason."""
    present = set(box.storage.list(container))
    for name in sorted(present):
        if name.startswith(path) and f"{container}/{name}" not in present:
            box.storage.copy(container, name, container, f"{container}/{name}")
