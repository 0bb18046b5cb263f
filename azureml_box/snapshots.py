"""Snapshots: the whole state of a workspace under a name, and the way back to it.

    HOME/snapshots/NAME/  state.sqlite   the database at one moment (documents and faults; the log of calls is no state)
                          folders/       the folders of jobs and deployments
                          blobs/ manifest.json   the blobs of the workspace's own containers, and their ETags

Work goes on while a snapshot is made: what it holds is what a `kill -9` at that moment would have left, and a restore takes it
up as a start does. A blob whose ETag is still the snapshot's is left alone by a restore, so going back costs what changed. How a
restore outlives a kill: `snapshot_restoring`.
"""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from azureml_box import lifetime, snapshot_blobs
from azureml_box import snapshot_restoring as restoring
from azureml_box.errors import ArmError, BadRequest, Conflict, NotFound
from azureml_box.resetting import current, keep_workspace_id
from azureml_box.stamps import now
from azureml_box.store import Store

if TYPE_CHECKING:
    from azureml_box.context import Box

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


def listing(box: Box) -> list[dict[str, Any]]:
    """All snapshots by name, with the moment at which each was made."""
    return [_told(path.parent) for path in sorted(restoring.home(box).glob("[!.]*/manifest.json"))]


async def save(box: Box, name: str) -> dict[str, Any]:
    """Make a snapshot.

    Raises:
        BadRequest: the name is none; Conflict: there is one of that name, or a blob that cannot be kept.
    """
    place = _place(box, name)
    async with box.snapshotting:
        if place.exists():
            raise Conflict(f"There is a snapshot {name!r} already; delete it first, or take another name.")
        keep_workspace_id(box)
        part = restoring.nameless(box)
        try:
            await asyncio.to_thread(_write, box, part)
            part.replace(place)
        finally:
            await asyncio.to_thread(shutil.rmtree, part, ignore_errors=True)
    return _told(place)


async def restore(box: Box, name: str) -> dict[str, Any]:
    """End all work, take the snapshot's state, and take up its jobs and deployments as a start does.

    Raises:
        NotFound: there is no such snapshot.
        ArmError: it cannot be taken; the state is as before, its work ended, but blobs may be the snapshot's already.
    """
    place = _known(box, name)
    async with box.snapshotting:
        Store(place / "state.sqlite").close()  # one of a newer emulator is refused before any work ends
        await lifetime.stop_work(box)
        await box.operations.stop()
        try:
            await asyncio.to_thread(_take, box, place)
        finally:
            _look_anew(box)
            box.operations.interrupt_unfinished()
            await lifetime.start_work(box)
    return _told(place)


async def resume(box: Box) -> None:
    """At a start, before any work: finish the restore that a kill cut off, and remove what was not begun."""
    if await asyncio.to_thread(restoring.resume, box):
        _look_anew(box)


async def delete(box: Box, name: str) -> None:
    """Remove a snapshot; raises NotFound."""
    place = _known(box, name)
    async with box.snapshotting:
        await asyncio.to_thread(restoring.remove, box, place)


def _look_anew(box: Box) -> None:
    """Forget what was read from the database that was."""
    box.config = current(box.config, box.store)
    box.faults.load()
    lifetime.renew(box)


def _write(box: Box, place: Path) -> None:
    place.mkdir(parents=True)
    box.store.backup(place / "state.sqlite")
    for folder in restoring.FOLDERS:
        restoring.copy_tree(box.config.home / folder, place / "folders" / folder)
    manifest = {"createdAt": now(), "blobs": snapshot_blobs.fetch(box, place / "blobs")}
    (place / "manifest.json").write_text(json.dumps(manifest))


def _take(box: Box, place: Path) -> None:
    try:
        restoring.begin(box, place)
        restoring.finish(box)
    except Exception as error:
        restoring.undo(box)
        message = (
            f"Snapshot {place.name!r} cannot be taken: {error}. The state is as before; blobs may be the snapshot's."
        )
        raise ArmError(500, "RestoreFailed", message) from error


def _place(box: Box, name: str) -> Path:
    if not _NAME.fullmatch(name):
        raise BadRequest(f"{name!r} names no snapshot: 1 to 64 letters, digits, - and _, beginning with no - or _.")
    return restoring.home(box) / name


def _known(box: Box, name: str) -> Path:
    place = _place(box, name)
    if not (place / "manifest.json").is_file():
        raise NotFound(f"There is no snapshot {name!r}.")
    return place


def _told(place: Path) -> dict[str, Any]:
    manifest = json.loads((place / "manifest.json").read_text())
    return {"name": place.name, "createdAt": manifest["createdAt"], "blobs": len(manifest["blobs"])}
