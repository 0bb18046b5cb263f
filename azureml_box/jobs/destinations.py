"""What an author wants of a job's output besides its files: an address of his own, and a name as an asset.

Source: `JobOutput` of the ARM reference (`uri`, `assetName`, `assetVersion`), and `Output` of azure-ai-ml 1.35, whose nodes of
pipelines send `uri` or `path`, `name` and `version`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from azureml_box import datastores
from azureml_box.errors import BadRequest
from azureml_box.jobs import delivery, registering

if TYPE_CHECKING:
    from azureml_box.context import Box

Destination = dict[str, str]


def read(box: Box, outputs: Mapping[str, Any] | None) -> dict[str, Destination]:
    """`address`, `asset` and `version` of each output that has one of them.

    Raises:
        BadRequest, NotFound: an address that the workspace's account does not have, or a version without a name.
    """
    found = {}
    for name, entry in (outputs or {}).items():
        if not isinstance(entry, Mapping):
            continue
        wanted = {
            "address": _text(entry, "uri", "path"),
            "asset": _text(entry, "assetName", "asset_name", "name"),
            "version": _text(entry, "assetVersion", "asset_version", "version"),
        }
        if wanted["version"] and not wanted["asset"]:
            raise BadRequest(f"Output {name!r} has a version and no name.", target=f"outputs.{name}")
        if wanted["address"]:
            datastores.resolve(box, delivery.chosen(wanted["address"], "job", name))
        if any(wanted.values()):
            found[name] = wanted
    return found


async def settle(box: Box, run: str) -> None:
    """Brings a run's outputs, which have arrived, to where and what their author wants.

    Raises:
        Conflict: there is such a version of the asset with other files.
    """
    from azureml_box.jobs import documents

    for output, wanted in (documents.get(box, run).get("_destinations") or {}).items():
        entry = documents.get(box, run)["properties"]["outputs"][output]
        uri = await delivery.deliver_to(box, str(entry["uri"]), wanted["address"], run, output)
        if wanted["asset"]:
            kind = str(entry.get("jobOutputType") or "uri_folder")
            await registering.register(box, kind, uri, wanted["asset"], wanted["version"], run)
        doc = documents.get(box, run)  # it may have changed while the files were copied
        doc["properties"]["outputs"][output]["uri"] = uri
        box.store.put(documents.KIND, run, doc)


def _text(entry: Mapping[str, Any], *names: str) -> str:
    found = next((str(entry[name]) for name in names if entry.get(name)), "")
    return "" if "${{parent." in found.replace(" ", "") else found
