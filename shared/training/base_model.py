"""The base model and the pipeline, looked up in the registry."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from shared.azure.outside import outside, remembered
from shared.azure.seen import Component
from shared.errors import NotFoundError, RejectedError, UserError
from shared.settings import settings

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
    found = remembered(f"model {name}:{version}", FRESH_SECONDS, lambda: outside().registry.model(name, version))
    return BaseModel(found.id, found.name, found.version, found.tags, found.properties)


def find_pipeline() -> Component:
    """The pipeline component of the registry, at its latest version.

    Raises:
        NotFoundError: the registry has none of this name.
    """
    name = settings().pipeline
    found: Component = remembered(f"component {name}", FRESH_SECONDS, lambda: outside().registry.component(name))
    return found
