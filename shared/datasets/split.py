"""Which rows train, validate and test: by a hash of the row's content, so that the same row always lands on one side.

Without a validation or a test file the pipeline itself would train on the first 80 % of the rows only (source:
AZUREML_CONTRACT section 0, no. 10): droptune always gives all three.
"""

from __future__ import annotations

from typing import NamedTuple

from shared.datasets.ends import Ends, Sink

SIDES = ("train", "validation", "test")
SMALL = 4_000_000
_SCALE = 2**64


class Fractions(NamedTuple):
    """How much of the dataset validates and tests; 0 where that side has a file of its own."""

    validation: float
    test: float

    def side(self, key: int) -> str:
        """The side of a row by the hash of its content.

        >>> Fractions(0.1, 0.1).side(2**63)
        'train'
        """
        place = key / _SCALE
        if place < self.test:
            return "test"
        return "validation" if place < self.test + self.validation else "train"


class Small(NamedTuple):
    """A row of a small dataset, which stays in memory until all sides are known."""

    key: int
    side: str
    row: bytes
    before: int


class Sides:
    """Deals rows to their sides. Rows go to the sink at once where there are many, at the end where there are few.

    Few are up to four million characters in all: then a row is moved to a side that would stay empty. A large dataset
    whose side stays empty has next to no rows that differ: that side shares one.
    """

    def __init__(self, fractions: Fractions, sink: Sink | None = None) -> None:
        self.fractions = fractions
        self.counts = dict.fromkeys(SIDES, 0)
        self.shared: list[str] = []
        self.doubled: list[str] = []
        self.wants_rows = sink is not None
        self._ends = {side: Ends(side, sink) for side in SIDES} if sink is not None else {}
        self._small: list[Small] | None = []
        self._first: tuple[bytes, int] = (b"", 0)

    def add(self, keys: list[int], rows: list[bytes], before: list[int], given: str | None = None) -> None:
        """Deals rows by their hashes, or all to a given side.

        `rows` is empty where they need not be written; `before` are the characters before a row's first answer.
        """
        side_of = self.fractions.side
        sides = [given] * len(keys) if given else [side_of(key) for key in keys]
        for side in SIDES:
            self.counts[side] += sides.count(side)
        if self._small is not None:
            written = rows or [b""] * len(keys)
            self._small += [Small(*entry) for entry in zip(keys, sides, written, before, strict=True)]
        else:
            for side, row, length in zip(sides, rows, before, strict=bool(rows)):
                self._ends[side].add(row, length)
        if rows and not self._first[0] and "train" in sides:
            index = sides.index("train")
            self._first = rows[index], before[index]

    def spill(self) -> None:
        """Says that the dataset is large: what was held back is written."""
        small, self._small = self._small, None
        for entry in small or ():
            if entry.side in self._ends:
                self._ends[entry.side].add(entry.row, entry.before)

    def extend(self, more: Sides) -> None:
        """Takes in how later rows were dealt; neither has a sink."""
        for side, count in more.counts.items():
            self.counts[side] += count
        both = self._small is not None and more._small is not None
        self._small = [*(self._small or ()), *(more._small or ())] if both else None

    def finish(self, wanted: list[str], *, with_tools: bool = False) -> None:
        """Fills the sides in `wanted` that are empty and writes what was held back.

        Afterwards `shared` names the sides that share a row, `doubled` those whose only row stands twice since the rows
        have tools (why: `shared.datasets.ends`).
        """
        for side in wanted:
            if not self.counts[side] and self.counts["train"] and not self._move(side):
                self.shared.append(side)
                self.counts[side] = 1
                if side in self._ends:
                    self._ends[side].add(*self._share())
        self.spill()
        self.doubled = [side for side in SIDES if with_tools and self.counts[side] == 1]
        for side in self.doubled:
            self.counts[side] = 2
        for side, ends in self._ends.items():
            ends.finish(twice=side in self.doubled)

    def _share(self) -> tuple[bytes, int]:
        small = [entry for entry in self._small or () if entry.side == "train"]
        return (small[0].row, small[0].before) if small else self._first

    def _move(self, side: str) -> bool:
        """Moves the training row with the smallest hash, and its copies; False where all training rows are alike."""
        train = {entry.key for entry in self._small or () if entry.side == "train"}
        if len(train) < 2:
            return False
        chosen = min(train)
        moved = [entry._replace(side=side) if entry.key == chosen else entry for entry in self._small or ()]
        count = sum(entry.side == side for entry in moved)
        self._small = moved
        self.counts["train"] -= count
        self.counts[side] += count
        return True
