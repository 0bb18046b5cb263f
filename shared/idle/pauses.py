"""An endpoint's pauses between requests, as a histogram that forgets: small enough for its record.

Bins are half octaves of seconds: bin `i` has the pauses above 2^((i-1)/2) and up to 2^(i/2). Each pause that is counted
takes 2 % off the weight of those before it, so that the last fifty or so decide.
"""

from __future__ import annotations

import math

import msgspec

KEEP = 0.98
FORGOTTEN = 0.005
LAST_BIN = 40  # 12 days: a longer pause teaches nothing more


class Pauses(msgspec.Struct, frozen=True, omit_defaults=True):
    """Weights by bin, the decayed number of pauses counted, and until when use was looked at (ISO 8601)."""

    weights: dict[int, float] = {}
    seen: str = ""

    @property
    def total(self) -> float:
        """How many pauses the histogram speaks for, at most fifty."""
        return sum(self.weights.values())


def count(pauses: Pauses, seconds: float, shortest: float) -> Pauses:
    """The histogram after a further pause; one of at most `shortest` seconds tells nothing and is not counted."""
    if seconds <= shortest:
        return pauses
    kept = {bin: round(weight * KEEP, 4) for bin, weight in pauses.weights.items() if weight * KEEP >= FORGOTTEN}
    place = bin_of(seconds)
    kept[place] = round(kept.get(place, 0.0) + 1.0, 4)
    return Pauses(kept, pauses.seen)


def bin_of(seconds: float) -> int:
    """The bin of a pause.

    >>> bin_of(60.0), round(end_of(12), 1)
    (12, 64.0)
    """
    return min(LAST_BIN, max(0, math.ceil(2 * math.log2(seconds) - 1e-9))) if seconds > 1 else 0


def end_of(bin: int) -> float:
    """The longest pause of a bin, in seconds."""
    return float(2 ** (bin / 2))


def middle_of(bin: int) -> float:
    """What stands for the pauses of a bin, in seconds: the geometric mean of its ends."""
    return float(2 ** (bin / 2 - 0.25))
