"""From bytes to blocks of whole physical lines, in one buffer that is used again and again.

A block is as big as the processor's cache likes it; what the file's chunks look like makes no difference.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

BLOCK = 512 * 1024
MAX_LINE = 16 * 1024 * 1024


class Readable(Protocol):
    """What bytes are read from: a file opened with `buffering=0`, or `Chunks`."""

    def readinto(self, buffer: memoryview, /) -> int | None:
        """Fills the buffer from its start and returns how many bytes came; 0 at the end."""
        ...


class Chunks:
    """Chunks of bytes, readable like a file."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._rest = memoryview(b"")

    def readinto(self, buffer: memoryview, /) -> int:
        """Fills the buffer from the chunks; 0 at their end."""
        filled = 0
        while filled < len(buffer):
            if not self._rest:
                chunk = next(self._chunks, None)
                if chunk is None:
                    break
                self._rest = memoryview(chunk)
                continue
            piece = self._rest[: len(buffer) - filled]
            buffer[filled : filled + len(piece)] = piece
            filled += len(piece)
            self._rest = self._rest[len(piece) :]
        return filled


@dataclass(frozen=True, slots=True)
class Block:
    """Whole lines: `data[:size]`; valid only until the next block is asked for.

    `complete` is False where the file ends without a line end; `too_long` is the length of a single line that is
    above 16 MB: then there are no data.
    """

    data: bytearray
    size: int
    complete: bool = True
    too_long: int = 0

    @property
    def view(self) -> memoryview:
        """The bytes without a copy."""
        return memoryview(self.data)[: self.size]


def blocks(source: Readable, size: int = BLOCK) -> Iterator[Block]:
    """The file as blocks of whole lines; a line longer than a block makes a block of its own."""
    buffer, have = bytearray(2 * size), 0
    while True:
        got = source.readinto(memoryview(buffer)[have : have + size]) or 0
        if not got:
            break
        end = buffer.rfind(b"\n", have, have + got) + 1
        have += got
        if end:
            yield Block(buffer, end)
            rest = buffer[end:have]
            buffer = buffer if len(buffer) == 2 * size else bytearray(2 * size)
            buffer[: len(rest)] = rest
            have = len(rest)
        elif have > MAX_LINE:
            length, left = _skip(source, have, size)
            yield Block(bytearray(), 0, too_long=length)
            if end := left.rfind(b"\n") + 1:
                yield Block(bytearray(left[:end]), end)
                left = left[end:]
            buffer = bytearray(2 * size)
            buffer[: len(left)] = left
            have = len(left)
        elif len(buffer) < have + size:
            buffer = buffer.ljust(2 * len(buffer), b"\0")
    if have:
        yield Block(buffer, have, complete=False)


def _skip(source: Readable, length: int, size: int) -> tuple[int, bytes]:
    """Reads on to the end of a line that is too long: its length without the end, and what came after it."""
    buffer = bytearray(size)
    while got := source.readinto(memoryview(buffer)) or 0:
        end = buffer.find(b"\n", 0, got)
        if end >= 0:
            return length + end, bytes(buffer[end + 1 : got])
        length += got
    return length, b""
