"""Puts a folder of specs into a registry: `DIR/{models,components,environments}/*/spec.yaml`, files stay in place."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from azureml_box import assets, containers
from azureml_box.asset_documents import version_document
from azureml_box.asset_kinds import common

if TYPE_CHECKING:
    from azureml_box.context import Box

_log = logging.getLogger(__name__)


class SpecError(Exception):
    """A spec.yaml that can't be published; says the file and what is missing."""


def publish_all(box: Box, registry: str, folder: Path) -> int:
    """Publish every spec below `folder`; how many. A spec that changed replaces what an earlier start published."""
    count = 0
    for kind, read in (("environments", _environment), ("models", _model), ("components", _component)):
        for path in sorted(folder.glob(f"{kind}/*/spec.yaml")):
            _publish(box, registry, kind, path, *read(path, _load(path)))
            count += 1
    _log.info("registry %s: %d assets from %s", registry, count, folder)
    return count


def _load(path: Path) -> dict[str, Any]:
    try:
        spec = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise SpecError(f"{path}: not YAML: {error}") from None
    missing = [key for key in ("name", "version") if key not in (spec or {})]
    if missing:
        raise SpecError(f"{path}: needs {', '.join(missing)}")
    spec["version"] = str(spec["version"])
    return dict(spec)


def _publish(
    box: Box,
    registry: str,
    kind: str,
    path: Path,
    spec: dict[str, Any],
    properties: dict[str, Any],
    folder: Path | None,
) -> None:
    name, version = str(spec["name"]), spec["version"]
    key = assets.key(registry, name, version)
    before = box.store.get(kind, key)
    prefix = f"{kind}/{name}/{version}"
    if kind == "models":
        properties["modelUri"] = box.storage.blob_url(f"registry-{registry.lower()}", prefix)
    if kind == "components" and folder is not None:
        properties["componentSpec"]["code"] = _publish_code(box, registry, name, version, folder)
    doc = version_document(box, kind, registry, name, version, properties, before)
    doc |= {"_folder": str(folder) if folder else None, "_prefix": prefix, "_spec": str(path)}
    containers.keep_version(box, kind, doc)


def _publish_code(box: Box, registry: str, name: str, version: str, folder: Path) -> str:
    """The component's folder as a code asset of the registry; its id is what the component names."""
    uri = box.storage.blob_url(f"registry-{registry.lower()}", f"codes/{name}/{version}")
    key = assets.key(registry, name, version)
    before = box.store.get("codes", key)
    doc = version_document(box, "codes", registry, name, version, {**common({}), "codeUri": uri}, before)
    containers.keep_version(box, "codes", {**doc, "_folder": str(folder), "_prefix": f"codes/{name}/{version}"})
    return str(doc["id"])


def _described(spec: dict[str, Any]) -> dict[str, Any]:
    # Azure serves tags and properties as text; YAML made numbers and booleans of some.
    texts = {
        part: {str(key): str(value) for key, value in (spec.get(part) or {}).items()} for part in ("tags", "properties")
    }
    return common({"description": spec.get("description"), "isArchived": spec.get("is_archived"), **texts})


def _model(path: Path, spec: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any], Path | None]:
    if "path" not in spec:
        raise SpecError(f"{path}: a model needs path, the folder with its files")
    properties = {
        **_described(spec),
        "modelType": spec.get("type") or "custom_model",
        "flavors": spec.get("flavors") or {},
    }
    if "system_metadata" in spec:
        properties["systemMetadata"] = spec["system_metadata"]
    return spec, properties, (path.parent / str(spec["path"])).resolve()


def _component(path: Path, spec: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any], Path | None]:
    folder = (path.parent / str(spec["code"])).resolve() if spec.get("code") else None
    if folder is not None and not folder.is_dir():
        raise SpecError(f"{path}: the code folder {folder} does not exist")
    shown = {key: value for key, value in spec.items() if key not in ("tags", "properties")}
    shown["$schema"] = spec.get("$schema") or "https://azuremlschemas.azureedge.net/latest/component.schema.json"
    return spec, {**_described(spec), "componentSpec": shown}, folder


def _environment(_path: Path, spec: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any], Path | None]:
    image = {"image": spec.get("image"), "condaFile": spec.get("conda_file"), "osType": "Linux"}
    return spec, {**_described(spec), **image, "environmentType": "Curated"}, None
