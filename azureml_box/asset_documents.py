"""A version of an asset as it is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from azureml_box import containers
from azureml_box.stamps import stamp

if TYPE_CHECKING:
    from azureml_box.context import Box


def version_document(
    box: Box, kind: str, scope: str, name: str, version: str, properties: dict[str, Any], before: dict[str, Any] | None
) -> dict[str, Any]:
    """A version as it is stored: ARM's envelope and the private keys that `assets` reads."""
    doc = {
        "id": f"{containers.identifier(box, kind, scope, name)}/versions/{version}",
        "name": version,
        "type": f"Microsoft.MachineLearningServices/workspaces/{kind}/versions",
        "systemData": stamp(before),
        "properties": properties,
        "_name": name,
        "_scope": scope,
        "_uri": properties.get("modelUri") or properties.get("dataUri") or properties.get("codeUri"),
        "_folder": (before or {}).get("_folder"),
        "_prefix": (before or {}).get("_prefix"),
    }
    if kind == "components" and doc["_folder"] is None:
        doc["_folder"] = properties["componentSpec"].get("code")
    return doc
