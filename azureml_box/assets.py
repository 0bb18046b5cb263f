"""Assets by id: what jobs and deployments need of models, components, environments and code."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from azureml_box import datastores
from azureml_box.cache import link_tree
from azureml_box.errors import BadRequest, NotFound

if TYPE_CHECKING:
    from azureml_box.context import Box

WORKSPACE = "workspace"
_REGISTRY_ID = re.compile(
    r"^azureml://registries/(?P<scope>[^/]+)/(?P<kind>\w+)/(?P<name>[^/]+)/(?P<how>versions|labels)/(?P<version>.+)$"
)
_ARM_ID = re.compile(
    r"/(?P<kind>models|components|environments|codes|data)/(?P<name>[^/]+)/(?P<how>versions|labels)/(?P<version>[^/]+)/?$"
)
_SHORT_ID = re.compile(r"^(?:azureml:)?(?P<name>[^:/@]+)(?P<sep>[:@])(?P<version>[^:/@]+)$")


@dataclass(frozen=True)
class AssetId:
    """One version of one asset; `scope` is a registry's name or `workspace`."""

    scope: str
    kind: str
    name: str
    version: str
    is_label: bool = False


@dataclass(frozen=True)
class ModelRef:
    """Where a model's files are: `folder` for a registry's, (container, prefix) for the workspace's."""

    name: str
    version: str
    type: str
    folder: Path | None
    container: str | None
    prefix: str | None


def parse(kind: str, asset_id: str) -> AssetId:
    """Read an ARM id, `azureml://registries/…`, or the short `azureml:NAME:VERSION` and `azureml:NAME@LABEL`."""
    if match := _REGISTRY_ID.match(asset_id):
        scope = match["scope"]
    elif match := _ARM_ID.search(asset_id):
        scope = WORKSPACE
    elif match := _SHORT_ID.match(asset_id):
        return AssetId(WORKSPACE, kind, match["name"], match["version"], match["sep"] == "@")
    else:
        raise BadRequest(f"{asset_id!r} is no id of an asset ({kind}).")
    if match["kind"] != kind:
        raise BadRequest(f"{asset_id!r} names one of {match['kind']}, where one of {kind} is wanted.")
    return AssetId(scope, kind, match["name"], match["version"], match["how"] == "labels")


def key(scope: str, name: str, version: str = "") -> str:
    """The store key of a version; without a version, the prefix that all versions share."""
    return f"{scope}|{name}|{version}"


def newest(box: Box, kind: str, scope: str, name: str) -> dict[str, Any] | None:
    """The version that was made last and is not archived."""
    found = box.store.walk(kind, key(scope, name), newest_first=True)
    return next((doc for doc in found if not doc["properties"]["isArchived"]), None)


def find(box: Box, kind: str, asset_id: str) -> dict[str, Any]:
    """The stored version document of any asset, private keys included."""
    asset = parse(kind, asset_id)
    if asset.is_label:
        doc = newest(box, kind, asset.scope, asset.name) if asset.version in ("latest", "default") else None
    else:
        doc = box.store.get(kind, key(asset.scope, asset.name, asset.version))
    if doc is None:
        place = "the workspace" if asset.scope == WORKSPACE else f"registry {asset.scope!r}"
        raise NotFound(
            f"There is no {kind.removesuffix('s')} {asset.name!r} with version {asset.version!r} in {place}."
        )
    return doc


def find_component(box: Box, asset_id: str) -> dict[str, Any]:
    """`properties.componentSpec` is the component; `_folder` its code: a folder's path, a code asset's id or None."""
    return find(box, "components", asset_id)


def find_environment(box: Box, asset_id: str) -> dict[str, Any]:
    """The environment version's document."""
    return find(box, "environments", asset_id)


def find_model(box: Box, asset_id: str) -> ModelRef:
    """The model and where its files are."""
    doc = find(box, "models", asset_id)
    properties = doc["properties"]
    version = doc["name"]
    name = doc["_name"]
    if doc.get("_folder"):
        return ModelRef(name, version, properties["modelType"], Path(doc["_folder"]), None, None)
    container, prefix = datastores.resolve(box, doc["_uri"])
    return ModelRef(name, version, properties["modelType"], None, container, prefix)


def materialise_model(box: Box, asset_id: str, target: Path) -> ModelRef:
    """Put the model's files below `target`, as hard links where they are on this machine. Blocks: use a thread."""
    model = find_model(box, asset_id)
    if model.folder is not None:
        count = link_tree(model.folder, target)
    else:
        count = box.storage.download_prefix(str(model.container), str(model.prefix), target)
    if count == 0:
        raise NotFound(
            f"Model {model.name!r} version {model.version!r} has no files at {model.folder or model.prefix}."
        )
    return model


def code_folder(box: Box, code_id: str, target: Path) -> Path:
    """Put a code asset, or a registry component's own folder, below `target`. Blocks: use a thread."""
    local = Path(code_id)
    if local.is_absolute() and local.is_dir():
        link_tree(local, target)
        return target
    doc = find(box, "codes", code_id)
    if doc.get("_folder"):
        link_tree(Path(doc["_folder"]), target)
        return target
    container, prefix = datastores.resolve(box, doc["properties"]["codeUri"])
    if box.storage.download_prefix(container, prefix, target) == 0:
        raise NotFound(f"Code asset {code_id!r} has no files at {doc['properties']['codeUri']}.")
    return target
