"""A folder of packages with nothing in it but what a list names, linked from this environment: no download, no box.

Compiled files are linked as well: Python takes them as long as their source is the one that they were made from.
"""

from __future__ import annotations

import re
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

HOST = ("starlette", "uvicorn", "h11", "httptools", "anyio", "click", "cronsim", "tzlocal", "tzdata", "sniffio")


def locked(lock: Path) -> list[str]:
    """The packages that a lock names."""
    return re.findall(r"^([a-z0-9][a-z0-9._-]*)==", lock.read_text(encoding="utf-8"), re.MULTILINE)


def link(names: list[str] | tuple[str, ...], folder: Path) -> list[str]:
    """Links the files of installed packages into a folder; the names that are not installed here."""
    absent = []
    for name in names:
        try:
            _link(distribution(name), folder)
        except PackageNotFoundError:
            absent.append(name)
    return absent


def _link(found: Distribution, folder: Path) -> None:
    for entry in found.files or []:
        if entry.parts[0] == "..":  # a command
            continue
        target = folder.joinpath(*entry.parts)
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists():
            target.symlink_to(Path(str(found.locate_file(entry))))
