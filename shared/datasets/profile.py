"""What a dataset looks like in numbers, from what was counted while it was read."""

from __future__ import annotations

from collections import Counter
from typing import Any

from shared.datasets import tokens
from shared.datasets.counts import scripts
from shared.datasets.counts.distribution import distribution, scaled
from shared.datasets.counts.duplicates import Copies
from shared.datasets.counts.tally import LOW, Tally
from shared.datasets.masked import masked

COUNTED = 64
SHOWN_ROWS = 5
SHOWN_CHARACTERS = 600
SHOWN_PATTERNS = 8


def profile(tally: Tally, copies: Copies, counted: dict[str, Any]) -> dict[str, Any]:
    """The profile as JSON: docs/report.schema.json says what is in it."""
    figures, one_in = tally.figures.columns, tally.figures.one_in
    characters = distribution(figures[3], one_in)
    return {
        "rows": tally.rows,
        "characters": tally.characters,
        "roles": _roles(tally),
        "patterns": _patterns(tally),
        "turns": distribution(_turns(tally), one_in),
        "characters_a_row": characters,
        "answer_characters_a_row": distribution(figures[4], one_in),
        "tokens_a_row": scaled(characters, counted["per_character"]),
        "tokens": {key: value for key, value in counted.items() if key != "per_character"},
        "tokens_estimate": counted["total"],
        "tokens_basis": counted["basis"],
        "languages": _languages(tally),
        "duplicates": copies.rows,
        "duplicates_basis": copies.basis,
        "longest": {"line": tally.longest[1], "characters": tally.longest[0]} if tally.rows else None,
        "shortest": {"line": tally.shortest[1], "characters": tally.shortest[0]} if tally.rows else None,
        "pii": _pii(tally),
        "sample": _sample(tally),
    }


def count_tokens(tally: Tally, counter: tokens.Counter) -> dict[str, Any]:
    """The tokens of all rows, reckoned from a sample of 64 rows (more of them cost more time than they sharpen it)."""
    chosen = sorted(tally.sample, key=lambda key: key & LOW)[:COUNTED]
    sample = [tally.sample[key][1] for key in chosen]
    return tokens.summary(sample, tally.rows, tally.characters, tally.answers, counter)


def _roles(tally: Tally) -> dict[str, int]:
    found: Counter[str] = Counter()
    for order, rows in zip(tally.patterns, tally.pattern_rows, strict=True):
        for role in order.roles if rows else ():
            found[role] += rows
    return dict(sorted(found.items()))


def _patterns(tally: Tally) -> list[dict[str, Any]]:
    pairs = sorted(zip(tally.pattern_rows, tally.patterns, strict=True), key=lambda pair: (-pair[0], pair[1].roles))
    return [{"roles": list(order.roles[:12]), "rows": rows} for rows, order in pairs[:SHOWN_PATTERNS] if rows]


def _turns(tally: Tally) -> Any:
    from array import array

    sizes = [len(order.roles) for order in tally.patterns]
    return array("I", [sizes[place] for place in tally.figures.columns[2]])


def _languages(tally: Tally) -> list[dict[str, Any]]:
    texts = (text for _, row in tally.sample.values() for _, text in row)
    return [{"script": script, "share": round(share, 4)} for script, share in scripts.shares(texts)]


def _pii(tally: Tally) -> list[dict[str, Any]]:
    from shared.datasets.pii import KINDS

    return [
        {"kind": kind, "name": KINDS[kind].name, "count": count, "lines": lines, "secret": KINDS[kind].secret}
        for kind, (count, *lines) in sorted(tally.pii.items())
    ]


def _message(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "content": masked(text[:SHOWN_CHARACTERS]), "characters": len(text)}


def _sample(tally: Tally) -> list[list[dict[str, Any]]]:
    chosen = sorted(tally.sample)[:SHOWN_ROWS]
    return [[_message(role, text) for role, text in tally.sample[key][1]] for key in chosen]
