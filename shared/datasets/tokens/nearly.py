"""Rows near the base model's context: their tokens are counted one by one, where its tokenizer is at hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.datasets.rows.patterns import Pattern
from shared.datasets.tokens.counters import Counter
from shared.datasets.tokens.reckoned import of_rows

if TYPE_CHECKING:
    from shared.datasets.rows.batch import Batch

BYTES_A_TOKEN = 4  # of Latin a character is a byte and a token four; of Chinese a character three and most of a token
NEAR = 0.5
MOST = 20_000


class Nearly:
    """Counts rows whose size says that they may be longer than so many tokens; at most 20,000 of them."""

    def __init__(self, limit: int, counter: Counter) -> None:
        self._counter = counter
        self._left = MOST
        self._from, self._to = limit * BYTES_A_TOKEN * (1 - NEAR), limit * BYTES_A_TOKEN * (1 + NEAR)

    def count(self, batch: Batch, patterns: list[Pattern]) -> dict[int, tuple[int, int]]:
        """By line: the tokens of a row, and of what stands before its first answer."""
        found = {}
        for line, place, texts in zip(batch.lines, batch.places, batch.texts, strict=True):
            size = sum(map(len, texts))
            if size * 4 < self._from or not self._from <= len("".join(texts).encode()) <= self._to or not self._left:
                continue
            row = list(zip(patterns[place].roles, texts, strict=True))
            begin = row[: patterns[place].first_answer]
            (whole, _), (before, _) = of_rows([row, begin], self._counter)
            found[line] = (whole, before)
            self._left -= 1
        return found
