"""Counting the quotes that delimit texts: each key and each text has two, so that a key too many shows in the number.

A row that msgspec has taken as `{"messages": [{"role", "content"}, …]}` has exactly 2 + 8 a message, whatever its white
space, escapes and characters; one more key, known or not, twice or not, adds at least two.
"""

from __future__ import annotations

from typing import Any

BACKSLASH, QUOTE = 0x5C, 0x22
OPEN, CLOSE = 0x7B, 0x7D


def unescaped(text: bytes) -> int:
    """The quotes of a piece of JSON that are not escaped.

    >>> unescaped(rb'{"a": "say \\"yes\\" \\\\\\\\"}')
    4
    """
    if b"\\" not in text:
        return text.count(b'"')
    single = text.replace(rb"\\", b"")
    return single.count(b'"') - single.count(rb"\"")


def plain(data: bytearray, size: int) -> tuple[int, int]:
    """The lines of a block and its unescaped quotes; 0 lines where they are not one object each."""
    lines = _one_object_a_line(data, size)
    return (lines, unescaped(bytes(data[:size]))) if lines else (0, 0)


class Wide:
    """The same with numpy: about five times as fast, but numpy must be loaded first."""

    def __init__(self, room: int) -> None:
        import numpy as np

        self._np: Any = np
        self._room = room
        self._scratch = [np.empty(room, bool) for _ in range(3)]

    def __call__(self, data: bytearray, size: int) -> tuple[int, int]:
        """The lines of a block and its unescaped quotes; 0 lines where they are not one object each."""
        lines = _one_object_a_line(data, size)
        if not lines or size > self._room:
            return (lines, unescaped(bytes(data[:size]))) if lines else (0, 0)
        np = self._np
        values = np.frombuffer(data, np.uint8, size)
        quotes = np.equal(values, QUOTE, out=self._scratch[0][:size])
        slashes = np.equal(values, BACKSLASH, out=self._scratch[1][:size])
        both = self._scratch[2][: size - 1]
        if np.logical_and(slashes[1:], slashes[:-1], out=both).any():
            return lines, unescaped(bytes(data[:size]))
        escaped = np.count_nonzero(np.logical_and(quotes[1:], slashes[:-1], out=both))
        return lines, int(np.count_nonzero(quotes) - escaped)


def _one_object_a_line(data: bytearray, size: int) -> int:
    """How many lines a block has, or 0 where one of them does not begin and end as an object."""
    lines, start, find = 0, 0, data.find
    while (end := find(b"\n", start, size)) >= 0:
        if data[start] != OPEN or data[end - 1] != CLOSE:
            return 0
        lines += 1
        start = end + 1
    return lines if start == size else 0
