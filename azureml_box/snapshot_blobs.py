"""A snapshot's blobs: those of the workspace's own containers; other workspaces may live in the same account."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from azureml_box import datastores
from azureml_box.errors import Conflict

if TYPE_CHECKING:
    from azureml_box.context import Box

_KINDS = ("BlockBlob", "AppendBlob")
_RUNS = "ExperimentRun/dcid."


def fetch(box: Box, folder: Path) -> list[dict[str, str]]:
    """Write the workspace's blobs into a folder; of each its container, name, ETag, kind and file.

    Raises:
        Conflict: one is of a kind that cannot be kept.
    """
    jobs = {doc["name"] for doc in box.store.list("jobs")}
    kept: list[dict[str, str]] = []
    for container, name, etag, kind in _own(box, jobs):
        if kind not in _KINDS:
            raise Conflict(f"Blob {container}/{name} is a {kind}; a snapshot holds {' and '.join(_KINDS)} only.")
        file = str(len(kept))
        etag = box.storage.download_file(container, name, folder / "linked")
        # The cache hands out hard links, and a job may write into its own: a snapshot shares bytes with nobody.
        shutil.copyfile(folder / "linked", folder / file)
        (folder / "linked").unlink()
        kept.append({"container": container, "name": name, "etag": etag, "kind": kind, "file": file})
    return kept


def put_back(box: Box, folder: Path, kept: list[dict[str, str]], jobs: set[str]) -> list[dict[str, str]]:
    """Make the account what the snapshot has: what changed is sent, what came since is deleted; the new ETags."""
    names = {blob["name"].removeprefix(_RUNS).split("/")[0] for blob in kept if blob["name"].startswith(_RUNS)}
    there = {(container, name): etag for container, name, etag, _ in _own(box, jobs | names)}
    wanted = {(blob["container"], blob["name"]) for blob in kept}
    for container, name in there.keys() - wanted:
        box.storage.delete(container, name)
    for container in {blob["container"] for blob in kept}:
        box.storage.ensure_container(container)
    return [_sent(box, folder, blob, there.get((blob["container"], blob["name"]))) for blob in kept]


def _sent(box: Box, folder: Path, blob: dict[str, str], there: str | None) -> dict[str, str]:
    # A list of blobs gives ETags without the quotes that a blob's own answer has.
    if there is not None and there.strip('"') == blob["etag"].strip('"'):
        return blob
    etag = box.storage.replace(blob["container"], blob["name"], folder / blob["file"], blob["kind"])
    return {**blob, "etag": etag}


def _own(box: Box, jobs: set[str]) -> list[tuple[str, str, str, Any]]:
    """The default datastore whole; of the artifacts, whose container all workspaces of an account share, our jobs'."""
    found: list[tuple[str, str, str, Any]] = []
    own = datastores.default_datastores(box)
    container = own[datastores.DEFAULT]["properties"]["containerName"]
    found += [(container, *blob) for blob in box.storage.entries(container)]
    shared = own[datastores.ARTIFACTS]["properties"]["containerName"]
    for blob in box.storage.entries(shared, _RUNS):
        if blob[0].removeprefix(_RUNS).split("/")[0] in jobs:
            found.append((shared, *blob))
    return found
