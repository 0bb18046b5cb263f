"""The registry of base models and pipelines."""

from __future__ import annotations

from shared.azure import ml
from shared.azure.failures import azure_errors
from shared.azure.seen import Component, Model
from shared.azure.workspace.models import seen


class AzureRegistry:
    """What the registry offers."""

    def model(self, name: str, version: str | None) -> Model:
        """A model at a version, or at the label `latest`.

        For a label of a model that there is not, the SDK raises an error of its own, without a status.
        """
        with azure_errors(f"look up the base model {name}"):
            models = ml.registry().models
            return seen(models.get(name, version=version) if version else models.get(name, label="latest"))

    def component(self, name: str) -> Component:
        """A component at its latest version."""
        with azure_errors(f"look up the component {name}"):
            found = ml.registry().components.get(name, label="latest")
        inputs = {
            key: {"type": value.type, "enum": value.get("enum"), "min": value.get("min")}
            for key, value in found.inputs.items()
        }
        return Component(found, str(found.version), inputs)
