"""Files that are blobs too, found again by container, name and ETag, and handed out as hard links.

A hard link shares its bytes. An entry's name therefore holds the size and the modification time that the file had when it
was kept: a file that a program has since written to in place no longer fits and is fetched anew.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path


class BlobCache:
    """One folder; an entry is valid only for the exact ETag that the account answered."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, container: str, blob: str, etag: str, path: Path) -> None:
        """Remember that `path` holds these bytes."""
        place = self._place(container, blob)
        place.mkdir(parents=True, exist_ok=True)
        for stale in place.iterdir():
            stale.unlink(missing_ok=True)
        link_or_copy(path, place / "new")
        (place / "new").replace(place / _entry_name(etag, place / "new"))

    def link(self, container: str, blob: str, etag: str, path: Path) -> bool:
        """Put the cached file at `path`; False when it isn't here."""
        for entry in self._place(container, blob).glob(f"{_digest(etag)}-*"):
            if entry.name == _entry_name(etag, entry):
                path.parent.mkdir(parents=True, exist_ok=True)
                link_or_copy(entry, path)
                return True
            entry.unlink(missing_ok=True)
        return False

    def _place(self, container: str, blob: str) -> Path:
        name = hashlib.sha256(f"{container}/{blob}".encode()).hexdigest()
        return self._folder / name[:2] / name


def link_or_copy(source: Path, target: Path) -> None:
    """A hard link where the file system allows it, else a copy; links in the source are followed."""
    target.unlink(missing_ok=True)
    try:
        os.link(source.resolve(), target)
    except OSError:
        shutil.copy2(source, target)


def link_tree(source: Path, target: Path) -> int:
    """Every file below `source`, linked to the same place below `target`; how many."""
    target.mkdir(parents=True, exist_ok=True)
    files = [path for path in source.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    for path in files:
        place = target / path.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        link_or_copy(path, place)
    return len(files)


def _digest(etag: str) -> str:
    return hashlib.sha256(etag.strip('"').encode()).hexdigest()[:16]


def _entry_name(etag: str, path: Path) -> str:
    state = path.stat()
    return f"{_digest(etag)}-{state.st_size}-{state.st_mtime_ns}"
