"""The clients of Azure ML: one for the workspace, one for the registry. Importing their SDK costs 1.4 s."""

from __future__ import annotations

import os
from contextlib import suppress
from functools import lru_cache
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any

from shared.azure.credential import credential
from shared.errors import TransientError
from shared.settings import settings

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

# The SDK's own word for the cloud of a process, which it writes when it makes its first client.
CURRENT_CLOUD, PUBLIC, PUBLIC_HOST = "AZUREML_CURRENT_CLOUD", "AzureCloud", "//management.azure.com"
_LOCK = Lock()


def warm() -> None:
    """Imports the SDK and makes the clients in the background: a folder settles meanwhile."""
    Thread(target=_warm, daemon=True).start()


@lru_cache(maxsize=1)
def _warm() -> None:
    with suppress(TransientError):  # whoever needs them makes them, or is told
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
    """A client of the cloud that is meant.

    Where the SDK cannot read the cloud's description it takes the public one for it, for good and without an error
    (azure-ai-ml 1.35, `_azure_environments.py`).
    """
    from azure.ai.ml import MLClient

    meant = os.environ.get("ARM_CLOUD_METADATA_URL", PUBLIC_HOST)
    with _LOCK:  # the word is the whole process's
        made = MLClient(credential(), **chosen)
        if os.environ.get(CURRENT_CLOUD) == PUBLIC and PUBLIC_HOST not in meant:
            del os.environ[CURRENT_CLOUD]
            raise TransientError(f"could not read the cloud's description at {meant}")
    return made
