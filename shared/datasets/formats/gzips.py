"""Gzip as a stream: members one after the other, in constant memory, and never more than a ceiling."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

from shared.datasets.formats.blocks import same_sized
from shared.datasets.formats.errors import FormatError

INPUT, OUTPUT = 16 * 1024, 256 * 1024
_AGAIN = "Write the file anew: gzip -k FILE.jsonl"


def gunzip(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The unpacked bytes.

    Raises:
        FormatError: the stream is no gzip, breaks, ends too early, or has something else after its end.
    """
    stream = _Gzip()
    for block in same_sized(chunks, INPUT):
        yield from stream.feed(block)
    stream.finish()


class _Gzip:
    """The state between two blocks: a member in progress (None between members), and where its block begins."""

    def __init__(self) -> None:
        self._member: zlib._Decompress | None = None
        self._read = 0
        self._members = 0

    def feed(self, block: bytes) -> Iterator[bytes]:
        rest = block
        while rest:
            if self._member is None:
                rest = rest.lstrip(b"\x00") if self._members else rest  # tapes and tar pad with zeros
                if not rest:
                    break
                self._member = zlib.decompressobj(31)
                self._members += 1
            yield from self._inflate(self._member, rest)
            rest = self._member.unused_data
            if self._member.eof:
                self._member = None
        self._read += len(block)

    def _inflate(self, member: zlib._Decompress, data: bytes) -> Iterator[bytes]:
        while data:
            try:
                piece = member.decompress(data, OUTPUT)
            except zlib.error as error:
                raise FormatError(self._broken(data, error), _AGAIN) from error
            if piece:
                yield piece
            data = member.unconsumed_tail
            if len(piece) < OUTPUT and not data:
                return

    def _broken(self, data: bytes, error: zlib.error) -> str:
        place = f"between byte {self._read + 1:,} and {self._read + INPUT:,}"
        if "incorrect header check" not in str(error):
            told = str(error).rpartition(": ")[2]
            return f"the gzip stream is broken {place} ({told})"
        return f"the file is no gzip stream, or something else follows its end, {place}"

    def finish(self) -> None:
        if self._member is not None:
            raise FormatError(
                f"the gzip stream is cut off: the file ends in mid-stream, after byte {self._read:,}", _AGAIN
            )
