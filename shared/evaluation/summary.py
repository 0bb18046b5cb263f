"""Many answers in a few figures, and two models' beside each other on the same rows."""

from __future__ import annotations

import random
from collections.abc import Sequence
from statistics import fmean
from typing import Any

import msgspec

from shared.evaluation.scores import Score

DRAWS = 1000
WORST = 5


class Summary(msgspec.Struct, frozen=True):
    """Means over the rows: `exact`, `f1`, `empty`, `cut`, `judged` are shares from 0 to 1, `chrf` is 0 to 100."""

    rows: int = 0
    exact: float = 0.0
    f1: float = 0.0
    chrf: float = 0.0
    length: float = 0.0
    empty: float = 0.0
    cut: float = 0.0
    judged: float | None = None


def summary(scores: Sequence[Score]) -> Summary:
    """The means; without a score there is nothing in it."""
    if not scores:
        return Summary()
    graded = [score.judged for score in scores if score.judged is not None]
    means = {name: round(fmean(float(getattr(score, name)) for score in scores), 4) for name in _MEANS}
    return Summary(len(scores), **means, judged=round(fmean(graded), 4) if graded else None)


_MEANS = ("exact", "f1", "chrf", "length", "empty", "cut")


class Comparison(msgspec.Struct, frozen=True):
    """The new model's chrF beside the other's, over the rows that both answered.

    `sure` is the share of 1,000 resamples of the rows in which the new one is ahead (paired bootstrap: Koehn, "Statistical
    significance tests for machine translation evaluation", 2004); 0.5 where nothing can be told.
    """

    rows: int
    new: float
    other: float
    better_rows: int
    worse_rows: int
    sure: float

    @property
    def ahead(self) -> bool:
        """Whether the new model is better on these rows, by however little."""
        return self.new > self.other


def compare(new: Sequence[Score], other: Sequence[Score]) -> Comparison:
    """Compares what two models answered to the same rows."""
    theirs = {score.row: score.chrf for score in other}
    pairs = [(score.chrf, theirs[score.row]) for score in new if score.row in theirs]
    if not pairs:
        return Comparison(0, 0.0, 0.0, 0, 0, 0.5)
    gains = [mine - his for mine, his in pairs]
    return Comparison(
        len(pairs),
        round(fmean(mine for mine, _ in pairs), 4),
        round(fmean(his for _, his in pairs), 4),
        sum(gain > 0 for gain in gains),
        sum(gain < 0 for gain in gains),
        _sure(gains),
    )


def _sure(gains: list[float]) -> float:
    """The same rows give the same figure: the dice are seeded by their number."""
    dice = random.Random(len(gains))
    sums = [sum(dice.choices(gains, k=len(gains))) for _ in range(DRAWS)]
    return round(sum(1.0 if total > 0 else 0.5 if total == 0 else 0.0 for total in sums) / DRAWS, 3)


def keep_worst(known: list[dict[str, Any]], found: dict[str, Any]) -> list[dict[str, Any]]:
    """The five worst answers so far, the worst first; each says its `chrf` and `row`."""
    return sorted([*known, found], key=lambda one: (one["chrf"], one["row"]))[:WORST]
