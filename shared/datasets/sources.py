"""Where a dataset's bytes come from, and what its name says about how to read them."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from shared.datasets.rows.blocks import Chunks, Readable

CHUNK = 1024 * 1024
MOST_UNPACKED = 20_000_000_000


class Source(Protocol):
    """A file that can be read from its beginning as often as needed."""

    @property
    def name(self) -> str:
        """The file's name: its suffix says what is in it."""
        ...

    def open(self) -> Readable:
        """The bytes from the beginning."""
        ...

    def seekable(self) -> BinaryIO:
        """The same as a file in which one can go to and fro."""
        ...


@dataclass(frozen=True)
class Bytes:
    """A file that lies in memory."""

    data: bytes
    name: str = "dataset.jsonl"

    def open(self) -> Readable:
        """The bytes from the beginning."""
        return io.BytesIO(self.data)

    def seekable(self) -> BinaryIO:
        """The same as a file."""
        return io.BytesIO(self.data)


@dataclass(frozen=True)
class Local:
    """A file on this machine; `told` hears how many bytes came with each read."""

    path: Path
    told: Callable[[int], None] | None = None

    @property
    def name(self) -> str:
        """The file's name."""
        return self.path.name

    def open(self) -> Readable:
        """The bytes from the beginning, unbuffered: the checker has a buffer of its own."""
        file = self.path.open("rb", buffering=0)
        return file if self.told is None else Told(file, self.told)

    def seekable(self) -> BinaryIO:
        """The same as a file."""
        return self.path.open("rb")


@dataclass(frozen=True)
class Told:
    """Tells how much was read."""

    inner: Readable
    told: Callable[[int], None]

    def readinto(self, buffer: memoryview, /) -> int:
        """Reads, and tells how much."""
        got = self.inner.readinto(buffer) or 0
        self.told(got)
        return got


def chunks(source: Readable) -> Iterator[bytes]:
    """The bytes in chunks of a megabyte."""
    buffer = bytearray(CHUNK)
    while got := source.readinto(memoryview(buffer)) or 0:
        yield bytes(buffer[:got])


def lines(source: Source) -> Readable:
    """The file as JSON lines, whatever its name says that it is: `.jsonl`, `.jsonl.gz`, `.json` or `.parquet`.

    Raises:
        FormatError: while it is read, where it is broken.
    """
    name = source.name.lower()
    if name.endswith((".jsonl.gz", ".json")):
        from shared.datasets.formats.readers import as_lines, suffix_of

        return Chunks(as_lines(suffix_of(name), chunks(source.open()), MOST_UNPACKED))
    if name.endswith(".parquet"):
        from shared.datasets.formats.parquet import parquet_lines

        return Chunks(parquet_lines(source.seekable()))
    return source.open()
