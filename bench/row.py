"""A promise and what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Row:
    """One line of the table; `target` bounds `measured` from above, or from below where it is `at_least`, in `unit`.

    `note` says how it was measured.
    """

    what: str
    target: float
    measured: float
    unit: str
    note: str
    at_least: bool = False

    @property
    def kept(self) -> bool:
        """Tell whether the promise holds here."""
        return self.measured >= self.target if self.at_least else self.measured <= self.target

    @property
    def promise(self) -> str:
        """Say the target as the table shows it."""
        return f"{'≥' if self.at_least else '≤'} {self.target:g} {self.unit}"


def middle(what: str, target: float, unit: str, values: Sequence[float], how: str, *, at_least: bool = False) -> Row:
    """Return the row of a median; the note has the range as well."""
    spread = f"median of {len(values)}, {min(values):.3g}–{max(values):.3g}; {how}"
    return Row(what, target, median(values), unit, spread, at_least)
