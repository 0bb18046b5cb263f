"""Columns of numbers about rows, of bounded length: beyond it those of one row in 2, 4, 8 … are kept."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

_WHOLE = 2**64 - 1  # all bits of a hash: rows whose hashes are all 0 cannot be told apart any more


class Kept:
    """Columns of numbers for the rows whose hash ends in `bits` zero bits; more are dropped where they grow too long."""

    def __init__(self, limit: int, *codes: str) -> None:
        self.limit = limit
        self.mask = 0
        self.columns = tuple(array(code) for code in codes)

    @property
    def one_in(self) -> int:
        """One row in how many is kept."""
        return self.mask + 1

    def halve(self) -> None:
        """Keeps one row in twice as many; the first column is the hash."""
        self.mask = 2 * self.mask + 1
        chosen = [index for index, key in enumerate(self.columns[0]) if not key & self.mask]
        self.columns = tuple(array(c.typecode, [c[index] for index in chosen]) for c in self.columns)

    def extend(self, more: Kept) -> None:
        """Takes in the columns of another; both then keep one row in the same number."""
        while self.mask < more.mask:
            self.halve()
        while more.mask < self.mask:
            more.halve()
        for mine, theirs in zip(self.columns, more.columns, strict=True):
            mine.extend(theirs)
        while len(self.columns[0]) > self.limit and self.mask < _WHOLE:
            self.halve()

    def add(self, keys: list[int], *columns: Sequence[int]) -> None:
        """Adds rows: their hashes and what else is kept of them."""
        every = (keys, *columns)
        if self.mask:
            chosen = [index for index, key in enumerate(keys) if not key & self.mask]
            every = tuple([column[index] for index in chosen] for column in every)
        for column, values in zip(self.columns, every, strict=True):
            column.extend(array(column.typecode, values))
        while len(self.columns[0]) > self.limit and self.mask < _WHOLE:
            self.halve()
