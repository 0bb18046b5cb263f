"""Registered models of the workspace."""

from __future__ import annotations

from typing import Any

from shared.azure import ml
from shared.azure.failures import azure_errors
from shared.azure.seen import Model, texts
from shared.errors import NotFoundError


class AzureModels:
    """Versions of registered models."""

    def find(self, name: str, version: str) -> Model | None:
        """A version of a registered model, or None."""
        try:
            with azure_errors(f"look at the model {name}:{version}"):
                return seen(ml.workspace().models.get(name, version=version))
        except NotFoundError:
            return None

    def register(self, name: str, version: str, path: str, description: str, tags: dict[str, str]) -> Model:
        """Registers an MLflow model that lies at an `azureml://` path."""
        ml.import_sdk()
        from azure.ai.ml.constants import AssetTypes
        from azure.ai.ml.entities import Model as Entity

        wanted = Entity(
            path=path, type=AssetTypes.MLFLOW_MODEL, name=name, version=version, description=description, tags=tags
        )
        with azure_errors(f"register the model {name}:{version}"):
            return seen(ml.workspace().models.create_or_update(wanted))

    def tag(self, name: str, version: str, tags: dict[str, str]) -> None:
        """Adds tags to a version, or writes them anew."""
        with azure_errors(f"tag the model {name}:{version}"):
            models = ml.workspace().models
            found = models.get(name, version=version)
            found.tags = {**(found.tags or {}), **tags}
            models.create_or_update(found)


def seen(model: Any) -> Model:
    """The SDK's model as a plain value."""
    return Model(
        id=str(model.id),
        name=str(model.name),
        version=str(model.version),
        tags=texts(model.tags),
        properties=texts(model.properties),
    )
