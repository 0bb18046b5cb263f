"""The snapshot of a dataset: the clean rows of its three sides, written while it is checked, whole or not at all.

It is named by what it is made of (the versions of the files, the split, the rules), so that making it again is making
the same. Its manifest comes last: without one there is no snapshot.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from shared.azure.blobs import Container
from shared.azure.gateways import Staged
from shared.datasets.check import RULES_VERSION, SIDES
from shared.errors import NotFoundError

SNAPSHOTS = Container("snapshots")
BLOCK = 4 * 1024 * 1024
CONTENT_TYPE = "application/jsonl"


class Side(msgspec.Struct, frozen=True):
    """A side's file: the length and SHA-256 of its first line, and of all that follows."""

    head_bytes: int
    head_sha256: str
    body_bytes: int
    body_sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """What a snapshot holds: `sha256` over all sides, `counts` of their rows."""

    sha256: str
    rules: str
    counts: dict[str, int]
    sides: dict[str, Side] = {}


def prefix(name: str, etag: str, made_of: Any) -> str:
    """Where a snapshot lies: the dataset's name, its ETag, the rules' version, and a hash of what else it depends on."""
    rest = hashlib.sha256(msgspec.json.encode(made_of, order="deterministic")).hexdigest()[:12]
    return f"{name}/{etag}-r{RULES_VERSION}-{rest}"


def find(where: str) -> Manifest | None:
    """The manifest of a snapshot that is whole, or None."""
    try:
        return msgspec.json.decode(SNAPSHOTS.read(f"{where}/manifest.json")[0], type=Manifest)
    except NotFoundError:
        return None


class Snapshot:
    """Writes a snapshot; each `begin` forgets what was written before and begins anew."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._writers: dict[str, Staged] = {}
        self._heads: dict[str, bytes] = {}

    def begin(self) -> Snapshot:
        """A new sink for a pass of the checker."""
        self.abandon()
        self._writers = {side: SNAPSHOTS.stage(f"{self._where}/{side}.jsonl", block=BLOCK) for side in SIDES}
        return self

    def write(self, side: str, row: bytes) -> None:
        """Takes a row of a side."""
        self._writers[side].write(row + b"\n")

    def head(self, side: str, row: bytes) -> None:
        """Takes the row that stands first."""
        self._heads[side] = row + b"\n"
        self._writers[side].set_head(self._heads[side])

    def commit(self, counts: dict[str, int]) -> Manifest:
        """Makes the sides visible, and last the manifest."""
        whole = hashlib.sha256(RULES_VERSION.encode())
        sides: dict[str, Side] = {}
        for side, writer in self._writers.items():
            writer.commit(content_type=CONTENT_TYPE)
            head = hashlib.sha256(self._heads[side]).hexdigest()
            sides[side] = Side(len(self._heads[side]), head, writer.bytes_written, writer.sha256_body)
            whole.update(f"{side}:{head}:{writer.sha256_body};".encode())
        manifest = Manifest(whole.hexdigest(), RULES_VERSION, counts, sides)
        SNAPSHOTS.write(f"{self._where}/manifest.json", msgspec.json.encode(manifest), content_type="application/json")
        return manifest

    def abandon(self) -> None:
        """Forgets what was not committed."""
        for writer in self._writers.values():
            writer.abandon()
        self._writers = {}

    def __enter__(self) -> Snapshot:
        return self

    def __exit__(self, *_: object) -> None:
        self.abandon()
