"""Which blobs of the container `datasets` mean what: one rule, shared by event handler, sweep and event filter."""

from __future__ import annotations

import re
from dataclasses import dataclass

SUFFIXES = (".jsonl", ".jsonl.gz", ".json", ".parquet")
CONFIG = "droptune.toml"
COMPANIONS = {"test.jsonl": "test", "validation.jsonl": "validation"}
REPORTS = (".report.json", ".report.html")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


@dataclass(frozen=True)
class Place:
    """Where a blob lies: the dataset's name and the file's part in it (`dataset`, `test`, `validation`, `config`)."""

    name: str
    role: str


def place(path: str) -> Place | None:
    """What a path of the container means, or None where it is nothing of a dataset (reports, other files).

    >>> place("acme/chats.jsonl")
    Place(name='acme', role='dataset')
    >>> place("acme/chats.jsonl.report.json") is None
    True
    """
    folders, _, file = path.rpartition("/")
    if not file or file.endswith(REPORTS):
        return None
    name = folders.split("/")[0] if folders else _stem(file)
    if file in COMPANIONS and folders:
        return Place(name, COMPANIONS[file])
    if file == CONFIG and folders:
        return Place(name, "config")
    return Place(name, "dataset") if file.lower().endswith(SUFFIXES) else None


def _stem(file: str) -> str:
    """A file's name without its suffix, of which `.jsonl.gz` is one."""
    suffix = next((suffix for suffix in SUFFIXES if file.lower().endswith(suffix)), "")
    return file[: -len(suffix)] if suffix else file.rsplit(".", 1)[0]


def is_dataset(path: str) -> bool:
    """Whether an upload at this path starts a run."""
    found = place(path)
    return found is not None and found.role == "dataset"


def bad_name(name: str) -> str | None:
    """None where a dataset's name is fine, else a name to propose: 1 to 63 of letters, digits, `-`, `_`, `.`."""
    if _NAME.fullmatch(name):
        return None
    proposal = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-._")[:63]
    return proposal or "dataset"
