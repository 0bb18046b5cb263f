"""Sharing: `POST {REG}/import` copies a version out of the workspace into a registry, files and all, on the service's side.

Shape: azure-ai-ml 1.35 (`begin_import_registry_asset`, `WorkspaceAssetReference`); models, data and environments are shared so.
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from azureml_box import assets, datastores
from azureml_box.asset_documents import version_document
from azureml_box.code_routes import registry_base
from azureml_box.containers import keep_version
from azureml_box.contract.limits import check_name
from azureml_box.errors import BadRequest, Conflict, NotFound
from azureml_box.http import accepted, body
from azureml_box.registry_routes import known

if TYPE_CHECKING:
    from azureml_box.context import Box

_SOURCE = re.compile(
    r"azureml://locations/(?P<location>[^/]+)/workspaces/(?P<workspace>[^/]+)"
    r"/(?P<kind>models|data|environments)/(?P<name>[^/]+)/versions/(?P<version>[^/]+)"
)
_PLACES = {"models": "modelUri", "data": "dataUri"}


def routes(box: Box) -> list[Route]:
    """POST import."""

    async def take(request: Request) -> Response:
        """Copy a version of the workspace into the registry; a long-running operation"""
        return _take(box, request, await body(request))

    return [Route(f"{registry_base(box)}/import", take, methods=["POST"])]


def _take(box: Box, request: Request, sent: dict[str, Any]) -> Response:
    registry, given = known(box, request.path_params["registry"]), sent.get("properties") or {}
    match = _SOURCE.fullmatch(str(given.get("sourceAssetId") or ""))
    if match is None or given.get("referenceType") != "Id":
        message = (
            f"sourceAssetId {given.get('sourceAssetId')!r} is no id of a model, data or environment of a workspace."
        )
        raise BadRequest(message, target="properties.sourceAssetId")
    if match["workspace"].lower() != box.config.workspace_id.lower():
        raise NotFound(f"The workspace {match['workspace']!r} could not be found.")
    kind = match["kind"]
    source = box.store.get(kind, assets.key(assets.WORKSPACE, match["name"], match["version"]))
    if source is None:
        raise NotFound(f"Could not find asset with ID: {kind}/{match['name']}:{match['version']}.", "UserError")
    name, version = given.get("destinationName") or match["name"], given.get("destinationVersion") or match["version"]
    check_name(kind, [name])
    if box.store.get(kind, assets.key(registry, name, version)) is not None:
        raise Conflict(f"{kind}/{name}:{version} exists in registry {registry!r} already.", "UserError")
    work = _copy(box, kind, registry, str(name), str(version), source)
    return accepted(box, request, box.operations.start("import asset", work))


async def _copy(box: Box, kind: str, registry: str, name: str, version: str, source: dict[str, Any]) -> None:
    properties = dict(source["properties"])
    if place := _PLACES.get(kind):
        prefix = f"{kind}/{name}/{version}"
        properties[place] = await asyncio.to_thread(_copy_files, box, registry, prefix, str(source["_uri"]))
    doc = version_document(box, kind, registry, name, version, properties, None)
    keep_version(box, kind, doc)


def _copy_files(box: Box, registry: str, prefix: str, uri: str) -> str:
    """Copy what lies at an address into the registry's container; the new address. Blocks."""
    container, path = datastores.resolve(box, uri)
    path, target = path.rstrip("/"), f"registry-{registry.lower()}"
    place = f"{prefix}/{path.rsplit('/', 1)[-1]}"
    found = [blob for blob in box.storage.list(container, path) if blob == path or blob.startswith(f"{path}/")]
    if not found:
        raise NotFound(f"There are no files at {uri}.", "UserError")
    box.storage.ensure_container(target)
    for blob in found:
        box.storage.copy(container, blob, target, f"{place}{blob[len(path) :]}")
    return box.storage.blob_url(target, place) + ("/" if uri.endswith("/") else "")
