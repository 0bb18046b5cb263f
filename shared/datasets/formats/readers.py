"""The formats that are taken as they are, by their name: `.json` (an array), `.jsonl.gz` and `.parquet`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from shared.datasets.formats.arrays import array_lines
from shared.datasets.formats.blocks import seekable
from shared.datasets.formats.errors import FormatError
from shared.datasets.formats.gzips import gunzip
from shared.datasets.formats.parquet import parquet_lines

MAX_BYTES = 64 * 2**30


def as_lines(suffix: str, chunks: Iterable[bytes], max_bytes: int = MAX_BYTES) -> Iterator[bytes]:
    """Chunks of JSON lines, one row a line in the file's order, in constant memory.

    `suffix` is one of `SUFFIXES`, or `.jsonl`, whose bytes pass as they are. Parquet, whose index stands at its end,
    is kept in a temporary file meanwhile. Line numbers of what comes out are numbers of rows.

    Raises:
        FormatError: the file is not what its name says, or breaks; or more than `max_bytes` come out of it.

    >>> b"".join(as_lines(".json", [b'[{"a": 1}, ', b'{"a": 2}]']))
    b'{"a": 1}\\n{"a": 2}\\n'
    """
    return capped(READERS[suffix](chunks), max_bytes)


def suffix_of(name: str) -> str:
    """The suffix that says how a file is read; `.jsonl` where none of the others fits.

    >>> suffix_of("chats.JSONL.GZ")
    '.jsonl.gz'
    """
    return next((suffix for suffix in SUFFIXES if name.lower().endswith(suffix)), ".jsonl")


def capped(chunks: Iterable[bytes], max_bytes: int) -> Iterator[bytes]:
    """The same chunks, and an error as soon as they are more than so many bytes.

    Raises:
        FormatError: there are more.
    """
    have = 0
    for chunk in chunks:
        have += len(chunk)
        if have > max_bytes:
            raise FormatError(f"more than {max_bytes:,} bytes come out of the file", "Drop it in several files.")
        yield chunk


def _parquet(chunks: Iterable[bytes]) -> Iterator[bytes]:
    with seekable(chunks) as file:
        yield from parquet_lines(file)


READERS: dict[str, Callable[[Iterable[bytes]], Iterator[bytes]]] = {
    ".jsonl": iter,
    ".json": array_lines,
    ".jsonl.gz": gunzip,
    ".parquet": _parquet,
}
SUFFIXES = (".jsonl.gz", ".parquet", ".json")
