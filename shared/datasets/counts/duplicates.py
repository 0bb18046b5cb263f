"""Rows that stand more than once, told by the hashes of their content."""

from __future__ import annotations

from typing import NamedTuple

from shared.datasets.counts.kept import Kept
from shared.datasets.split import Fractions

MANY = 20_000


class Copies(NamedTuple):
    """How many rows repeat an earlier one, and the first of them: its line and the line that it repeats."""

    rows: int
    line: int
    first: int
    basis: str


def copies(kept: Kept) -> Copies:
    """Counts the copies: exactly up to a million rows, beyond that from the rows that were kept."""
    basis = "exact" if kept.one_in == 1 else f"about: from one row in {kept.one_in}, chosen by its content"
    found = _many(kept) if len(kept.columns[0]) > MANY else _few(kept)
    return Copies(found[0] * kept.one_in, found[1], found[2], basis)


def standing_in(kept: Kept, training: Kept, fractions: Fractions) -> tuple[int, int]:
    """How many rows of a test or validation file stand in the training side of a dataset, and the line of the first."""
    mask = max(kept.mask, training.mask)
    trained = {key for key in training.columns[0] if not key & mask and fractions.side(key) == "train"}
    lines = [line for key, line in zip(*kept.columns, strict=True) if key in trained]
    return len(lines) * (mask + 1), min(lines, default=0)


def _few(kept: Kept) -> tuple[int, int, int]:
    seen: dict[int, int] = {}
    count, line, first = 0, 0, 0
    for key, place in zip(*kept.columns, strict=True):
        if key in seen:
            count += 1
            if count == 1:
                line, first = place, seen[key]
        else:
            seen[key] = place
    return count, line, first


def _many(kept: Kept) -> tuple[int, int, int]:
    import numpy as np

    keys, lines = np.frombuffer(kept.columns[0], np.uint64), kept.columns[1]
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    repeats = order[1:][ordered[1:] == ordered[:-1]]
    if not len(repeats):
        return 0, 0, 0
    index = int(repeats.min())
    return len(repeats), lines[index], lines[int(np.argmax(keys == keys[index]))]
