"""The base model and the pipeline, looked up in the registry."""

from __future__ import annotations

import ast
import re
import time
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from shared.azure import ml
from shared.azure.failures import azure_errors
from shared.errors import NotFoundError, RejectedError, UserError
from shared.settings import settings

if TYPE_CHECKING:
    from azure.ai.ml.entities import Model

_ID = re.compile(
    r"azureml://registries/(?P<registry>[^/]+)/models/(?P<name>[^/]+)/(?:versions|labels)/(?P<version>[^/]+)"
)
FRESH_SECONDS = 60.0  # what a label means may change; a version never does
FALLBACK_VERSION = {"Phi-3-mini-4k-instruct": "15"}
CURRENT = "Phi-4"


@dataclass(frozen=True)
class BaseModel:
    """A base model of the registry at an exact version."""

    id: str
    name: str
    version: str
    tags: dict[str, str]
    properties: dict[str, str]

    def allow_list(self, use: str) -> list[str] | None:
        """Sizes that may `finetune` or serve (`inference`), lower-cased: the tag, else the metadata, else no list."""
        text = self.tags.get(f"{use}_compute_allow_list") or self.properties.get(f"{use}-recommended-sku", "")
        try:
            listed = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            listed = [part.strip() for part in text.split(",") if part.strip()]
        return [str(size).lower() for size in listed] or None


def split_reference(reference: str) -> tuple[str, str | None]:
    """Name and version (None: the latest) of `name`, `name:version` or a full `azureml://` id.

    >>> split_reference("azureml://registries/azureml/models/Phi-4/versions/8")
    ('Phi-4', '8')
    """
    match = _ID.fullmatch(reference)
    if match:
        version = match["version"]
        return match["name"], None if version == "latest" else version
    name, _, version = reference.partition(":")
    return name, version or None


def find(reference: str) -> BaseModel:
    """The base model that a reference names, by version or by the label `latest`.

    For a label of a model that there is not, the SDK raises an error of its own, without a status.

    Raises:
        UserError: the registry has no such model.
    """
    name, version = split_reference(reference)
    try:
        return _fetch(name, version)
    except (NotFoundError, RejectedError) as error:
        if version is None and name in FALLBACK_VERSION:
            # An archived model may be hidden from `latest` while an explicit version still works.
            try:
                return _fetch(name, FALLBACK_VERSION[name])
            except (NotFoundError, RejectedError):
                pass
        fix = f"name a chat model of the registry {settings().registry_name!r}, {CURRENT} for one"
        raise UserError(f"the registry has no model {reference!r}", fix, "base_model") from error


def _fetch(name: str, version: str | None) -> BaseModel:
    return _fetch_at(name, version, int(time.monotonic() // FRESH_SECONDS))


@lru_cache(maxsize=32)
def _fetch_at(name: str, version: str | None, _minute: int) -> BaseModel:
    with azure_errors(f"look up the base model {name}"):
        models = ml.registry().models
        found: Model = models.get(name, version=version) if version else models.get(name, label="latest")
    return BaseModel(
        id=str(found.id),
        name=str(found.name),
        version=str(found.version),
        tags={key: str(value) for key, value in (found.tags or {}).items()},
        properties={key: str(value) for key, value in (found.properties or {}).items()},
    )


@dataclass(frozen=True)
class Pipeline:
    """The fine-tuning pipeline component; `inputs` maps each input to its type, enum and minimum."""

    component: Any
    version: str
    inputs: dict[str, dict[str, Any]]


def find_pipeline() -> Pipeline:
    """The pipeline component of the registry, at its latest version.

    Raises:
        NotFoundError: the registry has none of this name.
    """
    return _pipeline_at(settings().pipeline, int(time.monotonic() // FRESH_SECONDS))


@lru_cache(maxsize=2)
def _pipeline_at(name: str, _minute: int) -> Pipeline:
    with azure_errors(f"look up the component {name}"):
        component = ml.registry().components.get(name, label="latest")
    inputs = {
        key: {"type": value.type, "enum": value.get("enum"), "min": value.get("min")}
        for key, value in component.inputs.items()
    }
    return Pipeline(component, str(component.version), inputs)
