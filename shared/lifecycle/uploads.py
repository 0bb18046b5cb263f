"""The files of a dataset's folder: which belong to it, and how exactly the version that was seen is read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf
from typing import BinaryIO

from shared import clock
from shared.azure.blobs import Container
from shared.azure.seen import Listed
from shared.datasets.paths import place
from shared.datasets.rows.blocks import Chunks, Readable
from shared.errors import ConflictError, UserError

DATASETS = Container("datasets")
READING_SECONDS = 240.0
STOPPED_SECONDS = 60.0  # no function lives so long after the end of its reading, but for one that was stopped


@dataclass(frozen=True)
class Blob:
    """One version of a blob, read by parallel ranges; it fails where the blob was overwritten or deleted meanwhile.

    A function has five minutes: at `ends` (of the monotonic clock) the reading is given up, with a reason and a mend.
    """

    path: str
    etag: str
    size: int
    ends: float = inf

    @property
    def name(self) -> str:
        """The file's name."""
        return self.path.rpartition("/")[2]

    def open(self) -> Readable:
        """The bytes from the beginning."""
        return Chunks(self._in_time(DATASETS.stream(self.path, self.etag, self.size)))

    def _in_time(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            if clock.monotonic() > self.ends + STOPPED_SECONDS:
                raise ConflictError(f"whoever read {self.name} was stopped meanwhile, and another goes on")
            if clock.monotonic() > self.ends:
                told = f"{self.name} could not be read within {READING_SECONDS:.0f} seconds"
                raise UserError(told, "drop it in several files, or compressed (.jsonl.gz)")
            yield piece

    def seekable(self) -> BinaryIO:
        """The same as a file."""
        return DATASETS.seekable(self.path, self.etag, self.size)


def folder(name: str) -> list[Listed]:
    """The blobs that belong to a dataset's name: its data, test and validation files, its configuration."""
    found = (blob for blob in DATASETS.list(name))
    return [blob for blob in found if (where := place(blob.path)) is not None and where.name == name]


def companions(blobs: list[Listed]) -> dict[str, str]:
    """Path and ETag of what lies beside the datasets of a folder."""
    return {blob.path: blob.etag for blob in blobs if (where := place(blob.path)) and where.role != "dataset"}


def newest_of(datasets: list[Listed]) -> Listed | None:
    """The dataset that was written last; of several in one second the first by path."""
    return max(datasets, key=lambda blob: blob.modified, default=None)


def files(dataset: Listed, blobs: list[Listed]) -> dict[str, Blob]:
    """What is checked: the dataset and, where they lie beside it, its test and validation files."""
    ends = clock.monotonic() + READING_SECONDS
    found = {"dataset": Blob(dataset.path, dataset.etag, dataset.size, ends)}
    for blob in blobs:
        where = place(blob.path)
        if where is not None and where.role in ("test", "validation"):
            found[where.role] = Blob(blob.path, blob.etag, blob.size, ends)
    return found
