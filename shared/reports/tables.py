"""The report's table of figures, made with pandas from the profile's distributions."""

from __future__ import annotations

from typing import Any

import msgspec

from shared.reports.contents import Distribution, Profile

NAMES = {
    "turns": "turns",
    "characters_a_row": "characters",
    "answer_characters_a_row": "characters of answers",
    "tokens_a_row": "tokens",
}
COLUMNS = {"min": "least", "median": "median", "mean": "mean", "p95": "95 %", "max": "most"}


def distributions(profile: Profile) -> dict[str, Distribution]:
    """The distributions that a profile has, by what they count in a row."""
    found = {name: getattr(profile, key) for key, name in NAMES.items()}
    return {name: distribution for name, distribution in found.items() if distribution is not None}


def table(profile: Profile) -> dict[str, Any]:
    """`columns` and `rows` of a profile's distributions; a figure that is not known is None."""
    known = {name: msgspec.to_builtins(entry) for name, entry in distributions(profile).items()}
    if not known:
        return {"columns": [], "rows": []}
    import pandas as pd

    frame = pd.DataFrame.from_dict(known, orient="index")[list(COLUMNS)].rename(columns=COLUMNS)
    figures = frame.astype("float64").round(1).dropna(axis="columns", how="all")
    plain = figures.astype(object).where(figures.notna(), None).to_numpy().tolist()
    rows = [{"name": name, "values": values} for name, values in zip(known, plain, strict=True)]
    return {"columns": list(figures.columns), "rows": rows}
