"""Tokens of a dataset, reckoned from a sample of its rows."""

from __future__ import annotations

import math
from statistics import fmean
from typing import Any, NamedTuple

from shared.datasets.tokens.counters import Counter

Row = list[tuple[str, str]]  # role and content of each message
NEAR = 0.3


class Counted(NamedTuple):
    """A row's tokens: of its texts, of the assistant's texts, of what the template adds, and how many answers it has."""

    texts: int
    said: int
    around: int
    answers: int


def of_rows(rows: list[Row], counter: Counter) -> list[tuple[int, int]]:
    """For each row all its tokens after the template, and those that the assistant says (the end mark included)."""
    return [(row.texts + row.around, row.said + row.answers) for row in _counted(rows, counter)]


def summary(
    sample: list[Row], total_rows: int, total_characters: int, answer_characters: int, counter: Counter
) -> dict[str, Any]:
    """Tokens of a dataset by a sample of its rows: `total`, `answers`, `error` (95 %, relative), `exact`, `basis`.

    A ratio estimator: the sample's tokens a character times all characters, and the template's a row times all rows.
    """
    counted = _counted(sample, counter)
    lengths = [sum(len(content) for _, content in row) for row in sample]
    said = sum(len(content) for row in sample for role, content in row if role == "assistant")
    texts, answers, around, turns = (sum(column) for column in zip(*counted, strict=True)) if counted else (0, 0, 0, 0)
    seen = len(sample) / total_rows if total_rows else 1.0
    every = seen >= 1 and sum(lengths) >= total_characters  # long rows may be cut in the sample
    total = _share(texts, sum(lengths)) * total_characters + _share(around, seen)
    error = min(1.0, (0.0 if every else _sampling_error(counted, lengths, total_characters)) + counter.error)
    verb = "counted" if counter.exact else "estimated"
    rows = f"all {total_rows} rows" if every else f"a sample of {len(sample)} of {total_rows} rows"
    return {
        "total": round(total),
        "answers": round(_share(answers, said) * answer_characters + _share(turns, seen)),
        "basis": f"{verb} by {counter.name}, on {rows}" + (f"; within {error:.1%}" if error else ""),
        "error": round(error, 4),
        "exact": counter.exact and every,
        "per_character": round(_share(total, total_characters), 4),
    }


def _counted(rows: list[Row], counter: Counter) -> list[Counted]:
    flat = iter(counter.count([content for row in rows for _, content in row]))
    found = []
    for row in rows:
        counts = [(role, next(flat)) for role, _ in row]
        around = counter.before([role for role, _ in row]) + sum(counter.around(role) for role, _ in row)
        answers = [count for role, count in counts if role == "assistant"]
        found.append(Counted(sum(count for _, count in counts), sum(answers), around, len(answers)))
    return found


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _sampling_error(counted: list[Counted], lengths: list[int], total_characters: int) -> float:
    """Half of the 95 % interval of the ratio estimator, relative (Cochran, Sampling Techniques, section 6.4)."""
    rows, whole = len(counted), sum(row.texts + row.around for row in counted)
    if rows < 2 or not whole or not sum(lengths):
        return 1.0 if total_characters else 0.0
    ratio, around = sum(row.texts for row in counted) / sum(lengths), fmean(row.around for row in counted)
    unseen = max(0.0, 1 - sum(lengths) / total_characters) if total_characters else 0.0
    errors = (row.texts - ratio * length + row.around - around for row, length in zip(counted, lengths, strict=True))
    variance = sum(error**2 for error in errors) / (rows - 1)
    return 1.96 * math.sqrt(unseen * variance / rows) * rows / whole


def near_limit(characters: int, limit_tokens: int, per_character: float) -> bool:
    """Whether a row's estimate lies so close to the limit that only counting tells on which side it is."""
    return (1 - NEAR) * limit_tokens <= characters * per_character <= (1 + NEAR) * limit_tokens
