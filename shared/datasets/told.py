"""What is told of a file as a whole: what was mended, what is odd, once each with its first line and how often."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from shared.datasets.counts.duplicates import Copies
from shared.datasets.counts.tally import Tally
from shared.datasets.findings import Finding
from shared.datasets.rulebook import RULES, found

Told = tuple[Finding, int]


class Limit(NamedTuple):
    """The base model's context, in tokens; `known` is False where it is assumed."""

    model: str
    tokens: int
    known: bool


def mended(tally: Tally) -> Iterator[Told]:
    """What the snapshot has otherwise than the file, and what is odd about messages."""
    for code, (count, line) in sorted(tally.notes.items()):
        yield found(code, f"{RULES[code].what}: {_lines(count)}", line), count


def orders(tally: Tally) -> Iterator[Told]:
    """What is odd about the order of roles."""
    counts: dict[str, list[int]] = {}
    for order, rows, line in zip(tally.patterns, tally.pattern_rows, tally.pattern_lines, strict=True):
        for code in order.warnings if rows else ():
            entry = counts.setdefault(code, [0, line])
            entry[0] += rows
            entry[1] = min(entry[1], line)
    for code, (rows, line) in sorted(counts.items()):
        yield found(code, f"{RULES[code].what}: {_lines(rows)}", line), rows


def repeated(copies: Copies) -> Iterator[Told]:
    """Rows that stand more than once."""
    if copies.rows:
        about = "" if copies.basis == "exact" else "about "
        message = (
            f"{about}{_lines(copies.rows)} repeat an earlier one; line {copies.line} is the same as line {copies.first}"
        )
        yield found("duplicate_rows", message, copies.line), copies.rows


def too_long(tally: Tally, per_character: float, limit: Limit) -> Iterator[Told]:
    """Rows that the pipeline would cut, and rows of which it would leave no answer."""
    lines, sizes, before = (tally.figures.columns[index] for index in (1, 3, 5))
    most = limit.tokens / per_character if per_character else float("inf")
    assumed = "" if limit.known else ", a length that is assumed"
    for index, (code, values) in enumerate((("row_too_long", sizes), ("answer_cut_off", before))):
        counted = {line for line, found in tally.counted.items() if found[index] > limit.tokens}
        reckoned: set[int] = set()
        if max(values, default=0) > most:
            over = (line for line, value in zip(lines, values, strict=True) if value > most)
            reckoned = {line for line in over if line not in tally.counted}
        if counted or reckoned:
            count = len(counted) + len(reckoned) * tally.figures.one_in
            about = "about " if reckoned else ""
            told = f"{limit.tokens:,} tokens of {limit.model}{assumed}"
            yield found(code, f"{RULES[code].what} ({told}): {about}{_lines(count)}", min(counted | reckoned)), count


def personal(tally: Tally, policy: str) -> Iterator[Told]:
    """Personal data and secrets: a warning, or an error where the dropper or the operator wants that."""
    from shared.datasets.pii import KINDS

    for kind, (count, *lines) in sorted(tally.pii.items()):
        where = ", ".join(map(str, lines[:5])) + ("…" if count > 5 else "")
        message = f"{KINDS[kind].name}: {count:,} found, on line {where}"
        code = "pii_rejected" if policy == "reject" else "pii"
        yield found(code, message, lines[0]), count


def _lines(count: int) -> str:
    return f"{count:,} row{'s' if count != 1 else ''}"
