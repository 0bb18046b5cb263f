"""Where a closer look is worth while: literals of secrets, and stretches with many digits.

Two ways with the same answer: plain `re`, and hyperscan with numpy, which cost a tenth of a second to import and pay
from a megabyte on. A stretch holds `0-9 .()+-` alone and counts where `_DENSE` is found in it: 9 digits with at most
one sign between two of them, from the first of a group. Such 9 lie in 17 bytes, so in three windows of 8 bytes at most, of which the middle one
has 4 or more, and two neighbours have at least 7 together: that is what the fast way looks for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from shared.datasets.pii.secrets import LITERALS

Places = Iterator[tuple[int, int]]
_CLASS = b"0123456789 .()+-"
_STRETCH = re.compile(rb"[0-9 .()+-]{9,}")
_WHOLE = re.compile(rb"[0-9 .()+-]+")
_DENSE = re.compile(  # not in a hexadecimal number; but an escape may end like one
    rb"(?:(?<![0-9a-f])|(?<=\\[bf])|(?<=\\u[0-9A-Fa-f]{4}))(?:\d(?:[ .()+-]?\d){8}|\d{3}\) \d{3}[ .-]\d{4})"
)
_LITERAL = re.compile(b"(?=(" + b"|".join(map(re.escape, LITERALS)) + b"))")
_NUMBER = {literal: number for number, literal in enumerate(LITERALS)}
_PAIR, _DIGITS, _STEP = 7, 9, 64


def plain_literals(block: bytes) -> Places:
    """Every place where one of `LITERALS` stands: its offset, and which."""
    return ((found.start(), _NUMBER[found[1]]) for found in _LITERAL.finditer(block))


def plain_stretches(block: bytes) -> Places:
    """Every dense stretch: its start and end."""
    spans = (found.span() for found in _STRETCH.finditer(block))
    return (span for span in spans if _DENSE.search(block, *span))


def fast_stretches() -> Callable[[bytes], Places]:
    """`plain_stretches` by windows of 8 bytes with many digits."""
    windows = _Windows()

    def places(block: bytes) -> Places:
        done = 0
        for low, high in (*_merged(windows.busy(block)), (len(block) - 24, len(block))):  # the end is in no window
            while found := _DENSE.search(block, max(done, low, 0), high):
                start, done = _begin(block, found.start()), _end(block, found.start())
                yield start, done

    return places


def _merged(windows: list[int]) -> Iterator[tuple[int, int]]:
    """The bytes around the windows, one look for neighbours."""
    first = last = -1
    for window in windows:
        if window > last + 8:
            if last >= 0:
                yield max(0, first - 8), last + 24
            first = window
        last = window
    if last >= 0:
        yield max(0, first - 8), last + 24


class _Windows:
    """Looks at a block by aligned windows; its scratch is used again, because fresh pages cost ten times the work."""

    def __init__(self) -> None:
        import numpy

        self._np = numpy
        self._bytes: Any = numpy.empty(0, numpy.uint8)
        self._flags: Any = numpy.empty(0, numpy.bool_)

    def busy(self, block: bytes) -> list[int]:
        """Where two neighbours have 7 digits, three have 9, and 7 bytes on end may stand in a stretch (not so in hex)."""
        np, whole = self._np, len(block) // 8 * 8
        if whole < 16:
            return []
        data = np.frombuffer(block, np.uint8, whole)
        count = np.empty(whole // 8 + 3, np.uint8)
        count[0] = count[-2:] = 0
        np.bitwise_count(self._digits(data).view(np.uint64), out=count[1:-2])
        pairs = np.flatnonzero(count[1:-3] + count[2:-2] >= _PAIR)
        if not len(pairs):
            return []
        outer = np.maximum(count[pairs], count[pairs + 3])
        pairs = pairs[count[pairs + 1] + count[pairs + 2] + outer >= _DIGITS]
        found: list[int] = (pairs[self._on_end(data.view(np.uint64), pairs)] * 8).tolist()
        return found

    def _digits(self, data: Any) -> Any:
        if len(self._bytes) < len(data):
            self._bytes = self._np.empty(len(data), self._np.uint8)
            self._flags = self._np.empty(len(data), self._np.bool_)
        shifted = self._np.subtract(data, 48, out=self._bytes[: len(data)])
        return self._np.less(shifted, 10, out=self._flags[: len(data)])

    def _on_end(self, windows: Any, pairs: Any) -> Any:
        """Which pairs, with a neighbour at each side, have 9 bytes of `0x20`-`0x3f` in a row: 32 flags, shifted."""
        np = self._np
        around = np.take(windows, pairs[:, None] + np.arange(-1, 3), mode="clip")
        near = (around & np.uint64(0xE0E0E0E0E0E0E0E0)) ^ np.uint64(0x2020202020202020)
        bits = np.packbits(near.view(np.uint8).reshape(-1, 32) == 0, axis=1).view(">u4").ravel()
        for shift in (1, 2, 4, 1):
            bits = bits & bits >> shift
        return bits != 0


def _begin(block: bytes, at: int) -> int:
    """Where the stretch around `at` begins."""
    while at:
        before = block[max(0, at - _STEP) : at]
        left = len(before.rstrip(_CLASS))
        at -= len(before) - left
        if left:
            break
    return at


def _end(block: bytes, at: int) -> int:
    found = _WHOLE.match(block, at)
    return found.end() if found else at


def fast_literals() -> Callable[[bytes], Places] | None:
    """`plain_literals` by hyperscan, or None where it is not installed."""
    try:
        import hyperscan
    except ImportError:
        return None
    database: Any = hyperscan.Database()
    forms = [re.escape(one) for one in LITERALS]
    database.compile(expressions=forms, ids=list(range(len(forms))), elements=len(forms), flags=[0] * len(forms))

    def places(block: bytes) -> Places:
        ends: list[tuple[int, int]] = []

        def found(number: int, _start: int, end: int, *_flags: object) -> None:
            ends.append((end, number))

        database.scan(block, match_event_handler=found)
        return ((end - len(LITERALS[number]), number) for end, number in ends)

    return places
