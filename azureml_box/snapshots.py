"""Snapshots: the whole state of a workspace under a name, and the way back to it.

    HOME/snapshots/NAME/  state.sqlite   the database at one moment (documents and faults; the log of calls is no state)
                          folders/       the folders of jobs and deployments
                          blobs/ manifest.json   the blobs of the workspace's own containers, and their ETags

Work goes on while a snapshot is made: what it holds is what a `kill -9` at that moment would have left, and a restore takes it
up as a start does. A blob whose ETag is still the snapshot's is left alone by a restore, so going back costs what changed.
"""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from azureml_box import lifetime, snapshot_blobs
from azureml_box.errors import BadRequest, Conflict, NotFound
from azureml_box.resetting import current, keep_workspace_id
from azureml_box.stamps import now
from azureml_box.store import Store

if TYPE_CHECKING:
    from azureml_box.context import Box

FOLDERS = ("jobs", "deployments")
_TABLES = ("documents", "faults", "fired")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


def listing(box: Box) -> list[dict[str, Any]]:
    """All snapshots by name, with the moment at which each was made."""
    return [_told(path.parent) for path in sorted(_home(box).glob("[!.]*/manifest.json"))]


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
        part = _home(box) / f".{uuid.uuid4()}"
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
    """
    place = _known(box, name)
    async with box.snapshotting:
        Store(place / "state.sqlite").close()  # one of an older emulator is migrated, one of a newer refused
        await lifetime.stop_work(box)
        await box.operations.stop()
        try:
            await asyncio.to_thread(_take, box, place)
            box.store.take(place / "state.sqlite", _TABLES)
        finally:
            box.config = current(box.config, box.store)
            box.faults.load()
            box.operations.interrupt_unfinished()
            lifetime.renew(box)
            await lifetime.start_work(box)
    return _told(place)


async def delete(box: Box, name: str) -> None:
    """Remove a snapshot; raises NotFound."""
    place = _known(box, name)
    async with box.snapshotting:
        await asyncio.to_thread(shutil.rmtree, place)


def _write(box: Box, place: Path) -> None:
    place.mkdir(parents=True)
    box.store.backup(place / "state.sqlite")
    for folder in FOLDERS:
        _copy(box.config.home / folder, place / "folders" / folder)
    manifest = {"createdAt": now(), "blobs": snapshot_blobs.fetch(box, place / "blobs")}
    (place / "manifest.json").write_text(json.dumps(manifest))


def _take(box: Box, place: Path) -> None:
    manifest = json.loads((place / "manifest.json").read_text())
    jobs = {doc["name"] for doc in box.store.list("jobs")}
    manifest["blobs"] = snapshot_blobs.put_back(box, place / "blobs", manifest["blobs"], jobs)
    (place / "manifest.new").write_text(json.dumps(manifest))
    (place / "manifest.new").replace(place / "manifest.json")
    for folder in FOLDERS:
        shutil.rmtree(box.config.home / folder, ignore_errors=True)
        _copy(place / "folders" / folder, box.config.home / folder)


def _copy(source: Path, target: Path) -> None:
    """A tree, its symbolic links as they are."""
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True, ignore=_special)


def _special(folder: str, names: list[str]) -> list[str]:
    """Sockets and pipes, which no copy can hold."""
    paths = [Path(folder, name) for name in names]
    return [path.name for path in paths if path.is_socket() or path.is_fifo()]


def _home(box: Box) -> Path:
    return box.config.home / "snapshots"


def _place(box: Box, name: str) -> Path:
    if not _NAME.fullmatch(name):
        raise BadRequest(f"{name!r} names no snapshot: 1 to 64 letters, digits, - and _, beginning with no - or _.")
    return _home(box) / name


def _known(box: Box, name: str) -> Path:
    place = _place(box, name)
    if not (place / "manifest.json").is_file():
        raise NotFound(f"There is no snapshot {name!r}.")
    return place


def _told(place: Path) -> dict[str, Any]:
    manifest = json.loads((place / "manifest.json").read_text())
    return {"name": place.name, "createdAt": manifest["createdAt"], "blobs": len(manifest["blobs"])}
