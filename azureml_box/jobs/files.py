"""Where a step's files lie: inputs fetched into its folder, outputs at addresses of their own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from azureml_box import assets, datastores
from azureml_box.cache import link_or_copy, link_tree
from azureml_box.errors import NotFound
from azureml_box.jobs import modes, public
from azureml_box.jobs.values import Asset

if TYPE_CHECKING:
    from azureml_box.context import Box

_MODELS = ("mlflow_model", "custom_model", "triton_model")
_ADDRESSES = (*public.SCHEMES, "azureml://datastores", "azureml://subscriptions", "azureml://jobs")


@dataclass(frozen=True)
class Placed:
    """An input in a step's folder: `path` is what the command is told, `place` holds all of it.

    It comes from `container` at `prefix` (None: from nowhere that can be written), or from `source`, which another step
    on this machine has written.
    """

    path: Path
    place: Path
    container: str | None = None
    prefix: str = ""
    source: Path | None = None


def is_file(kind: Any) -> bool:
    """Whether an input or output is one file, not a folder."""
    return str(kind).lower() == "uri_file"


def address(box: Box, asset: Asset) -> str:
    """The address of an asset's files in a datastore, or the id of a model, whose files may lie in a registry.

    Raises:
        NotFound: there is no such data asset or job.
    """
    uri = asset.uri
    if not uri.startswith(_ADDRESSES):
        if asset.type in _MODELS:
            return uri
        uri = str(assets.find(box, "data", uri)["properties"]["dataUri"])
    if uri.startswith("azureml://jobs"):
        from azureml_box.asset_paths import located

        uri = located(box, uri)
    return uri


def fetch(box: Box, asset: Asset, place: Path, mode: str) -> Placed:
    """Puts an asset's files at `place`, as hard links where they are on this machine (blocks).

    Raises:
        NotFound: there is nothing at its address.
        DataAccessError: it is public, and cannot be had.
    """
    uri = address(box, asset)
    if not uri.startswith(_ADDRESSES):
        assets.materialise_model(box, uri, place)
        return Placed(place, place)  # a model's version stays as it is
    if public.is_public(box, uri):
        mounted = mode in (modes.READ_ONLY, modes.READ_WRITE)
        return Placed(public.fetch(box, uri, place, single=is_file(asset.type), sized=mounted), place)
    container, path = datastores.resolve(box, uri)
    count = box.storage.download_prefix(container, path, place)
    if count == 0:
        raise NotFound(f"The path {path!r} does not exist in container {container!r}.", "UserError")
    name = path.rstrip("/").rsplit("/", 1)[-1]
    if is_file(asset.type) and (place / name).is_file():
        return Placed(place / name, place, container, path.rstrip("/").rpartition("/")[0])
    return Placed(place, place, container, path.rstrip("/"))


def hand_on(box: Box, source: Path, uri: str, place: Path) -> Placed:
    """Another step's output as this step's input; `uri` is the output's address."""
    container, path = datastores.resolve(box, uri)
    if source.is_file():
        place.mkdir(parents=True, exist_ok=True)
        link_or_copy(source, place / source.name)
        return Placed(place / source.name, place, container, path.rpartition("/")[0], source.parent)
    link_tree(source, place)
    return Placed(place, place, container, path.rstrip("/"), source)


def output_uri(run: str, output: str, single: bool, datastore: str = "") -> str:
    """Where an output lies: below the run's name in a datastore, or the default one."""
    place = f"azureml://datastores/{datastore or datastores.DEFAULT}/paths/azureml/{run}/{output}"
    return place if single else f"{place}/"


def upload(box: Box, run: str, output: str, source: Path, datastore: str = "") -> None:
    """Sends an output to a datastore, or the default one (blocks)."""
    container, path = datastores.resolve(box, output_uri(run, output, source.is_file(), datastore))
    if source.is_file():
        box.storage.upload_file(container, path, source)
    else:
        box.storage.upload_folder(container, path, source)
