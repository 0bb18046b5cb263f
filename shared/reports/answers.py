"""The part of the report's document that says how a model answered test rows, beside another where one was asked."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta

from shared.reports.contents import Count, Number, Share
from shared.reports.numbers import percent


class Measures(msgspec.Struct, frozen=True, kw_only=True):
    """Means over the rows that were asked."""

    rows: Count = 0
    exact: Annotated[Share, Meta(description="answers that are the reference, case and punctuation aside")] = 0
    f1: Annotated[Share, Meta(description="words in common with the reference")] = 0
    chrf: Annotated[Number, Meta(description="chrF, 0 to 100, as sacrebleu reckons it")] = 0
    length: Annotated[Number, Meta(description="length over the reference's")] = 0
    empty: Annotated[Share, Meta(description="answers without a text")] = 0
    cut: Annotated[Share, Meta(description="answers that end where their tokens were used up")] = 0
    judged: Annotated[Share | None, Meta(description="a judge's grade, where one is plugged in")] = None


class Beside(msgspec.Struct, frozen=True, kw_only=True):
    """The new model's chrF beside the other's on the same rows; `sure` is how often resampled rows say the same."""

    rows: Count = 0
    new: Number = 0
    other: Number = 0
    better_rows: Count = 0
    worse_rows: Count = 0
    sure: Share = 0.5


class Worst(msgspec.Struct, frozen=True, kw_only=True):
    """One of the worst answers: the last question, what should have come, what came, and what the other model said."""

    row: Count = 0
    chrf: Number = 0
    asked: str = ""
    reference: str = ""
    answer: str = ""
    other: str | None = None


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """How the model answered test rows before it got any traffic."""

    course: Annotated[str, Meta(description="the course of the evaluation loss; over-fitting is named")] = ""
    rows: Count = 0
    new: Measures | None = None
    beside: Annotated[str, Meta(description="which other deployment answered the same rows")] = ""
    other: Measures | None = None
    comparison: Beside | None = None
    worst: list[Worst] = []


class Line(NamedTuple):
    """A line of the table: a measure, and its value for each model."""

    name: str
    new: str
    other: str


def lines(evaluation: Evaluation) -> list[Line]:
    """The table of the measures, as words."""
    found = [
        ("chrF", "chrf", _plain),
        ("words in common (F1)", "f1", percent),
        ("exactly the reference", "exact", percent),
        ("length over the reference's", "length", _plain),
        ("empty answers", "empty", percent),
        ("answers that were cut", "cut", percent),
        ("a judge's grade", "judged", percent),
    ]
    made = []
    for name, key, told in found:
        values = [getattr(side, key) if side else None for side in (evaluation.new, evaluation.other)]
        if values[0] is not None:
            made.append(Line(name, *("" if value is None else told(value) for value in values)))
    return made


def _plain(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:.1f}"
