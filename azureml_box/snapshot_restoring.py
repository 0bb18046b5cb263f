"""Going back to a snapshot: a kill at any moment leaves the state before it, or the snapshot's at the next start.

    HOME/snapshots/.restoring/  snapshot             the snapshot's name
                                jobs/ deployments/   the snapshot's folders, until they take their places
                                was/                 the folders that were there

What may fail for want of space is done before this folder gets its name, by one rename. From then on each step can be done
again, so the next start finishes what is left of them. The database comes last, in one transaction.
"""

from __future__ import annotations

import errno
import json
import logging
import shutil
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from azureml_box import snapshot_blobs
from azureml_box.store import Store

if TYPE_CHECKING:
    from azureml_box.context import Box

FOLDERS = ("jobs", "deployments")
_TIMES = 100
_TABLES = ("documents", "faults", "fired")
_log = logging.getLogger(__name__)


def home(box: Box) -> Path:
    """Where all snapshots are."""
    return box.config.home / "snapshots"


def nameless(box: Box) -> Path:
    """A new place beside the snapshots; what is left in one at a start is removed."""
    return home(box) / f".{uuid.uuid4()}"


def begin(box: Box, place: Path) -> None:
    """Copy a snapshot's folders beside ours, then say by one rename that this snapshot shall be the state (blocks)."""
    part = nameless(box)
    try:
        for folder in FOLDERS:
            (part / folder).mkdir(parents=True)
            copy_tree(place / "folders" / folder, part / folder)
        (part / "was").mkdir()
        (part / "snapshot").write_text(place.name)
        part.replace(_record(box))
    finally:
        shutil.rmtree(part, ignore_errors=True)


def finish(box: Box) -> None:
    """Do what is left of a restore that has begun (blocks)."""
    record = _record(box)
    place = home(box) / (record / "snapshot").read_text()
    _put_blobs_back(box, place)
    for folder in FOLDERS:
        ours = box.config.home / folder
        if (record / folder).exists():
            if ours.exists():
                ours.replace(record / "was" / folder)
            (record / folder).replace(ours)
    Store(place / "state.sqlite").close()  # one of an older emulator is migrated
    box.store.take(place / "state.sqlite", _TABLES)
    remove(box, record)


def undo(box: Box) -> None:
    """Give up a restore that failed before the database was taken: the folders are again those that were there (blocks)."""
    if not (record := _record(box)).exists():
        return
    for folder in FOLDERS:
        if (was := record / "was" / folder).exists():
            if (ours := box.config.home / folder).exists():
                ours.replace(record / folder)
            was.replace(ours)
    remove(box, record)


def resume(box: Box) -> bool:
    """Finish what a kill cut off, at a start: True where a restore was (blocks)."""
    begun = _record(box).exists()
    if begun:
        _log.warning("finishing the restore of snapshot %s", (_record(box) / "snapshot").read_text())
        box.storage.wait_until_ready()
        finish(box)
    for left in home(box).glob(".*"):
        shutil.rmtree(left)
    return begun


def remove(box: Box, place: Path) -> None:
    """Delete a folder so that it is there as a whole, or under no name that counts (blocks)."""
    nowhere = nameless(box)
    place.replace(nowhere)
    shutil.rmtree(nowhere, ignore_errors=True)


def copy_tree(source: Path, target: Path) -> None:
    """A tree, its symbolic links as they are; nothing where there is none.

    It may be in use: where a file got its name while others were copied, it is gone through again.
    """
    for _ in range(_TIMES if source.is_dir() else 0):
        try:
            shutil.copytree(source, target, symlinks=True, ignore=_special, dirs_exist_ok=True)
        except shutil.Error as error:
            if not all(f"[Errno {errno.ENOENT}]" in why for _, _, why in error.args[0]):
                raise
        else:
            return


def _special(folder: str, names: list[str]) -> list[str]:
    """Sockets and pipes, which no copy can hold."""
    paths = [Path(folder, name) for name in names]
    return [path.name for path in paths if path.is_socket() or path.is_fifo()]


def _put_blobs_back(box: Box, place: Path) -> None:
    manifest = json.loads((place / "manifest.json").read_text())
    jobs = {doc["name"] for doc in box.store.list("jobs")}
    manifest["blobs"] = snapshot_blobs.put_back(box, place / "blobs", manifest["blobs"], jobs)
    (place / "manifest.new").write_text(json.dumps(manifest))
    (place / "manifest.new").replace(place / "manifest.json")


def _record(box: Box) -> Path:
    return home(box) / ".restoring"
