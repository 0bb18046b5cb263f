"""Chunks cut anew, so that nothing depends on the sizes in which a file happens to arrive; chunks read like a file."""

from __future__ import annotations

import contextlib
import io
import itertools
from collections.abc import Iterable, Iterator
from typing import IO, cast

from shared.datasets.formats.errors import FormatError
from shared.datasets.rows.blocks import Chunks

MAX_LINE = 64 * 2**20
IN_MEMORY = 8 * 2**20


def same_sized(chunks: Iterable[bytes], size: int) -> Iterator[bytes]:
    """The same bytes in blocks of one size; the last one is what is left.

    >>> list(same_sized([b"a", b"bcd", b"", b"e"], 2))
    [b'ab', b'cd', b'e']
    """
    held: list[bytes] = []
    have = 0
    for chunk in chunks:
        held.append(chunk)
        have += len(chunk)
        if have < size:
            continue
        whole = memoryview(b"".join(held) if len(held) > 1 else chunk)
        cut = have - have % size
        for start in range(0, cut, size):
            yield bytes(whole[start : start + size])
        held, have = [bytes(whole[cut:])], have - cut
    if have:
        yield b"".join(held)


def peek(chunks: Iterable[bytes], size: int) -> tuple[bytes, Iterator[bytes]]:
    """The first bytes (fewer where there are no more), and all chunks as if nobody had looked."""
    rest = iter(chunks)
    held: list[bytes] = []
    while sum(map(len, held)) < size and (chunk := next(rest, None)) is not None:
        held.append(chunk)
    head = b"".join(held)
    return head[:size], itertools.chain([head] if head else [], rest)


def lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Lines without their ends.

    Raises:
        FormatError: a line is above 64 MB.
    """
    rest: list[bytes] = []
    have = 0
    for chunk in chunks:
        *whole, tail = chunk.split(b"\n")
        if whole:
            yield b"".join([*rest, whole[0]])
            yield from whole[1:]
            rest, have = [], 0
        if tail:
            rest.append(tail)
            have += len(tail)
        if have > MAX_LINE:
            raise FormatError(f"a line is longer than {MAX_LINE:,} bytes", "Write one conversation a line.")
    if rest:
        yield b"".join(rest)


@contextlib.contextmanager
def seekable(chunks: Iterable[bytes]) -> Iterator[IO[bytes]]:
    """The chunks as a file that can be sought in: in memory where they are few, else on disk."""
    import tempfile

    with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as file:
        for chunk in chunks:
            file.write(chunk)
        file.seek(0)
        yield cast(IO[bytes], file)


class ChunkFile(io.RawIOBase):
    """Chunks as a file that can be read once, from its start to its end."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = Chunks(chunks)

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]
        """Fills the buffer from the chunks; 0 at their end."""
        return self._chunks.readinto(memoryview(buffer))
