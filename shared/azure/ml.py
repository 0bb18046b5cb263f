"""The clients of Azure ML: one for the workspace, one for the registry. Importing their SDK costs 1.4 s."""

from __future__ import annotations

from functools import lru_cache
from threading import Thread
from typing import TYPE_CHECKING

from shared.azure.credential import credential
from shared.settings import settings

if TYPE_CHECKING:
    from azure.ai.ml import MLClient


def warm() -> None:
    """Imports the SDK and makes the clients in the background: a folder settles meanwhile."""
    Thread(target=_warm, daemon=True).start()


@lru_cache(maxsize=1)
def _warm() -> None:
    workspace()
    registry()


@lru_cache(maxsize=1)
def workspace() -> MLClient:
    """The workspace's client. Its cloud comes from `ARM_CLOUD_METADATA_URL` where that is set."""
    from azure.ai.ml import MLClient

    chosen = settings()
    return MLClient(credential(), chosen.subscription_id, chosen.resource_group, chosen.workspace_name)


@lru_cache(maxsize=1)
def registry() -> MLClient:
    """The client of the registry that offers base models and pipelines."""
    from azure.ai.ml import MLClient

    return MLClient(credential(), registry_name=settings().registry_name)
