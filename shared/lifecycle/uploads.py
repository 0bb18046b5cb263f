"""The files of a dataset's folder: which belong to it, and how exactly the version that was seen is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO, cast

from shared.azure.blobs import Container, Listed
from shared.azure.ranges import RangeFile, stream
from shared.datasets.blocks import Chunks, Readable
from shared.datasets.paths import place

DATASETS = Container("datasets")


@dataclass(frozen=True)
class Blob:
    """One version of a blob, read by parallel ranges; it fails where the blob was overwritten or deleted meanwhile."""

    path: str
    etag: str
    size: int

    @property
    def name(self) -> str:
        """The file's name."""
        return self.path.rpartition("/")[2]

    def open(self) -> Readable:
        """The bytes from the beginning."""
        return Chunks(stream("datasets", self.path, self.etag, self.size))

    def seekable(self) -> BinaryIO:
        """The same as a file."""
        return cast(BinaryIO, RangeFile("datasets", self.path, self.etag, self.size))


def folder(name: str) -> list[Listed]:
    """The blobs that belong to a dataset's name: its data, test and validation files, its configuration."""
    found = (blob for blob in DATASETS.list(name))
    return [blob for blob in found if (where := place(blob.path)) is not None and where.name == name]


def companions(blobs: list[Listed]) -> dict[str, str]:
    """Path and ETag of what lies beside the datasets of a folder."""
    return {blob.path: blob.etag for blob in blobs if (where := place(blob.path)) and where.role != "dataset"}


def files(dataset: Listed, blobs: list[Listed]) -> dict[str, Blob]:
    """What is checked: the dataset and, where they lie beside it, its test and validation files."""
    found = {"dataset": Blob(dataset.path, dataset.etag, dataset.size)}
    for blob in blobs:
        where = place(blob.path)
        if where is not None and where.role in ("test", "validation"):
            found[where.role] = Blob(blob.path, blob.etag, blob.size)
    return found
