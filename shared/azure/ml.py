"""The clients of Azure ML: one for the workspace, one for the registry. Importing their SDK costs 1.4 s."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from functools import lru_cache
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from shared.azure.credential import credential
from shared.azure.failures import azure_errors
from shared.errors import DroptuneError, SettingsError, TransientError
from shared.settings import settings

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

PUBLIC_HOST = "//management.azure.com"
KNOWN = ("AzureCloud", "AzureChinaCloud", "AzureUSGovernment")  # to the SDK
CURRENT, PUBLIC = "AZUREML_CURRENT_CLOUD", "AzureCloud"
SECONDS = 10.0
_IMPORTING = Lock()


def import_sdk() -> None:
    """Imports `azure.ai.ml` without a call; whoever imports something of it calls this first.

    Left to itself it reads the cloud's description several times as it is imported, for the default values of parameters
    (azure-ai-ml 1.35, `entities/_datastore/azure_storage.py`), and where the second time fails, so does the import, with
    "Unknown cloud environment". Where the current cloud is one that it knows it reads nothing; ours is told to each client.
    """
    if "azure.ai.ml" in sys.modules:
        return
    with _IMPORTING:
        before = os.environ.get(CURRENT)
        os.environ[CURRENT] = before or PUBLIC
        try:
            import azure.ai.ml  # noqa: F401
        finally:
            if before is None:
                del os.environ[CURRENT]


def warm() -> None:
    """Imports the SDK and makes the clients in the background: a folder settles meanwhile."""
    Thread(target=_warm, daemon=True).start()


@lru_cache(maxsize=1)
def _warm() -> None:
    with suppress(DroptuneError):  # whoever needs them makes them, or is told
        workspace()
        registry()


@lru_cache(maxsize=1)
def workspace() -> MLClient:
    """The workspace's client. Its cloud comes from `ARM_CLOUD_METADATA_URL` where that is set.

    Raises:
        TransientError: that cloud does not describe itself now.
    """
    chosen = settings()
    return _client(
        subscription_id=chosen.subscription_id,
        resource_group_name=chosen.resource_group,
        workspace_name=chosen.workspace_name,
    )


@lru_cache(maxsize=1)
def registry() -> MLClient:
    """The client of the registry that offers base models and pipelines; raises as `workspace` does."""
    return _client(registry_name=settings().registry_name)


def _client(**chosen: Any) -> MLClient:
    import_sdk()
    from azure.ai.ml import MLClient

    return MLClient(credential(), **chosen, **_cloud())


@lru_cache(maxsize=1)
def _cloud() -> dict[str, Any]:
    """The cloud that is meant, as the SDK takes it: read once, and never guessed.

    Left to itself the SDK reads the description at each call, fails for good where it cannot, and where it could not at the
    first takes the public cloud for it, without an error (azure-ai-ml 1.35, `_azure_environments.py`).

    Raises:
        TransientError: the cloud does not describe itself now.
        SettingsError: what is at the address describes no cloud of this address.
    """
    url = os.environ.get("ARM_CLOUD_METADATA_URL", "")
    if not url or PUBLIC_HOST in url:
        return {}
    described = next((one for one in _described(url) if str(one.get("resourceManager")) in url), None)
    if described is None:
        raise SettingsError(f"ARM_CLOUD_METADATA_URL: {url} describes no cloud whose resource manager is there")
    name = str(described["name"])
    if name in KNOWN:
        return {"cloud": name}
    # The SDK keeps a description by its name for good: the address tells one emulator from the next.
    return {"cloud": f"{name} at {urlsplit(url).netloc}", "cloud_metadata": _metadata(described)}


def _described(url: str) -> list[dict[str, Any]]:
    from azure.core import PipelineClient
    from azure.core.rest import HttpRequest

    client: PipelineClient[Any, Any] = PipelineClient(url, policies=[])
    with azure_errors(f"read the cloud's description at {url}"), client:
        answer = client.send_request(HttpRequest("GET", url), connection_timeout=SECONDS, read_timeout=SECONDS)
        answer.raise_for_status()
        try:
            found = answer.json()
        except ValueError as error:
            raise TransientError(f"the cloud's description at {url} is no JSON") from error
    return [found] if isinstance(found, dict) else list(found)


def _metadata(cloud: dict[str, Any]) -> dict[str, str]:
    """What the SDK makes of a description (its `_convert_arm_to_cli`)."""
    suffix = ".".join(cloud["portal"].split(".")[2:]).replace("/", "")
    registries = f"https://{cloud['name'].lower()}west.api.ml.azure.{suffix}/"
    return {
        "azure_portal": cloud["portal"],
        "resource_manager": cloud["resourceManager"],
        "active_directory": cloud["authentication"]["loginEndpoint"],
        "aml_resource_id": f"https://ml.azure.{suffix}",
        "storage_endpoint": cloud["suffixes"]["storage"],
        "registry_discovery_endpoint": os.environ.get("REGISTRY_DISCOVERY_ENDPOINT_URL", registries),
    }
