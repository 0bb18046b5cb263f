"""How the SDK finds everything: the cloud, the registry, the workspace and its data planes.

Which fields the SDK reads: the design's contract table, "Finding the cloud".
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from azureml_box.http import json
from azureml_box.registry_routes import known
from azureml_box.stamps import stamp

if TYPE_CHECKING:
    from azureml_box.context import Box


def routes(box: Box) -> list[Route]:
    """Metadata, registry discovery, the workspace and its `/discovery`."""

    async def metadata(_request: Request) -> Response:
        """The cloud, as SDKs look for it in ARM_CLOUD_METADATA_URL."""
        return JSONResponse([cloud(box)])

    async def registry(request: Request) -> Response:
        """Where a registry is."""
        return json(_registry(box, request.path_params["registry"]))

    async def workspace(_request: Request) -> Response:
        """The workspace."""
        return json(workspace_document(box))

    async def workspaces(_request: Request) -> Response:
        """All workspaces: this one."""
        return json({"value": [workspace_document(box)]})

    async def planes(_request: Request) -> Response:
        """Addresses of run history and of the data planes."""
        base = box.config.base_url
        return json({"api": base, "history": base, "experimentation": base, "studio": base})

    scope = box.config.workspace_scope
    return [
        Route("/metadata/endpoints", metadata),
        Route("/registrymanagement/v1.0/registries/{registry}/discovery", registry),
        Route("/discovery", planes),
        Route(scope, workspace),
        Route(scope.rsplit("/", 1)[0], workspaces),
    ]


def cloud(box: Box) -> dict[str, Any]:
    """One cloud; the SDK picks it because its `resourceManager` is a part of the metadata URL."""
    base = box.config.base_url
    # The SDK makes the audience of job submissions from the portal's host: https://ml.azure.local.
    return {
        "name": "AzureMLBox",
        "portal": "https://portal.box.local/",
        "resourceManager": base,
        "authentication": {"loginEndpoint": base, "audiences": [base, "https://management.azure.com/"]},
        "suffixes": {"storage": box.config.storage_suffix},
    }


def _registry(box: Box, name: str) -> dict[str, Any]:
    known(box, name)
    base = f"{box.config.base_url}/"
    return {
        "registryName": name,
        "primaryRegion": box.config.location,
        "primaryRegionResourceProviderUri": base,
        "regions": [box.config.location],
        "subscriptionId": box.config.subscription,
        "resourceGroup": box.config.resource_group,
        "tags": {},
    }


def workspace_document(box: Box) -> dict[str, Any]:
    """The workspace as ARM answers it; `discoveryUrl` leads to run history and the data planes."""
    config = box.config
    account = f"{config.group_scope}/providers/Microsoft.Storage/storageAccounts/{config.storage_account}"
    properties = {
        "workspaceId": config.workspace_id,
        "friendlyName": config.workspace,
        "description": "",
        "storageAccount": account,
        "keyVault": None,
        "applicationInsights": None,
        "containerRegistry": None,
        "provisioningState": "Succeeded",
        "discoveryUrl": f"{config.base_url}/discovery",
        "mlFlowTrackingUri": f"{config.base_url}/mlflow/v1.0{config.workspace_scope}".replace(
            "https://", "azureml://", 1
        ),
        "publicNetworkAccess": "Enabled",
        "hbiWorkspace": False,
        "tenantId": config.tenant,
        "imageBuildCompute": None,
        "v1LegacyMode": False,
        "softDeleteEnabled": False,
        "storageHnsEnabled": False,
        "linkedModelInventoryArmId": None,
        "privateLinkCount": 0,
        "notebookInfo": None,
        "sasGetterUri": "",
    }
    return {
        "id": config.workspace_scope,
        "name": config.workspace,
        "type": "Microsoft.MachineLearningServices/workspaces",
        "location": config.location,
        "kind": "Default",
        "etag": None,
        "sku": {"name": "Basic", "tier": "Basic"},
        "identity": {"type": "SystemAssigned", "tenantId": config.tenant, "principalId": config.workspace_id},
        "tags": {},
        "systemData": _made(config.workspace_id),
        "properties": properties,
    }


@lru_cache(maxsize=8)
def _made(_workspace_id: str) -> dict[str, Any]:
    """A workspace is as old as the process that answers for it: nobody made it by a call."""
    return stamp()
