"""A step's files: inputs put into its folder, outputs uploaded from it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from azureml_box import assets, datastores
from azureml_box.cache import link_or_copy, link_tree
from azureml_box.errors import NotFound
from azureml_box.jobs.values import Asset

if TYPE_CHECKING:
    from azureml_box.context import Box

_MODELS = ("mlflow_model", "custom_model", "triton_model")
_ADDRESSES = ("https://", "azureml://datastores", "azureml://subscriptions", "azureml://jobs")


def is_file(kind: Any) -> bool:
    """Whether an input or output is one file, not a folder."""
    return str(kind).lower() == "uri_file"


def fetch(box: Box, asset: Asset, place: Path) -> Path:
    """Puts an asset's files at `place` (blocks) and returns where the command finds them.

    Raises:
        NotFound: there is nothing at its address.
    """
    uri = asset.uri
    if asset.type in _MODELS and not uri.startswith(_ADDRESSES):
        assets.materialise_model(box, uri, place)
        return place
    if not uri.startswith(_ADDRESSES):
        uri = str(assets.find(box, "data", uri)["properties"]["dataUri"])
    if uri.startswith("azureml://jobs"):
        from azureml_box.asset_paths import located

        uri = located(box, uri)
    container, path = datastores.resolve(box, uri)
    count = box.storage.download_prefix(container, path, place)
    if count == 0:
        raise NotFound(f"The path {path!r} does not exist in container {container!r}.", "UserError")
    single = place / path.rstrip("/").rsplit("/", 1)[-1]
    return single if is_file(asset.type) and single.is_file() else place


def hand_on(source: Path, place: Path) -> Path:
    """Another step's output as this step's input: hard links, as both run on this machine."""
    if source.is_file():
        place.mkdir(parents=True, exist_ok=True)
        link_or_copy(source, place / source.name)
        return place / source.name
    link_tree(source, place)
    return place


def output_uri(run: str, output: str, single: bool) -> str:
    """Where an output lies: below the run's name in the default datastore."""
    return f"azureml://datastores/{datastores.DEFAULT}/paths/azureml/{run}/{output}" + ("" if single else "/")


def upload(box: Box, run: str, output: str, source: Path) -> None:
    """Sends an output to the default datastore (blocks)."""
    container, path = datastores.resolve(box, output_uri(run, output, source.is_file()))
    if source.is_file():
        box.storage.upload_file(container, path, source)
    else:
        box.storage.upload_folder(container, path, source)
