"""`auto`: how long after its last request an endpoint may stay awake, learnt from its own pauses.

Staying awake bills by the second; a wake-up costs as much as `break_even` seconds of it: those that are billed while
the deployment is made, and as many again for whoever waits. Where nothing is known, sleeping after exactly that long
costs at most twice what the best choice in hindsight costs, and no rule without chance does better (ski rental: Karlin
et al., Competitive snoopy caching, 1988). What was seen since then moves it: the window is the one that would have
cost the least over the pauses so far, and the unknown pause that we began with.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

from shared.idle.pauses import Pauses, end_of, middle_of

WAKE_SECONDS = 900.0  # what Azure takes to make a deployment, where none was made yet
LONGEST_WAKE = 3600.0  # one that waited for quota tells nothing of the next
FINEST, FARTHEST = 1 / 32, 6.0  # of the break-even: the shortest and the longest window that is looked at
PRIOR = 30.0  # the unknown pause is above a 30th of the break-even, and the longer the rarer (Pareto, 1)


@dataclass(frozen=True)
class Choice:
    """A window in seconds since the last request, and why."""

    seconds: float
    reason: str


def break_even(wake_seconds: float) -> float:
    """Seconds awake that cost what a wake-up costs: it is billed, and somebody waits for it.

    >>> break_even(0.0)
    1800.0
    """
    return 2 * min(LONGEST_WAKE, max(1.0, wake_seconds or WAKE_SECONDS))


def shortest(even: float) -> float:
    """The shortest pause that tells anything: each window spans it."""
    return even * FINEST


def choose(pauses: Pauses, even: float, least: float = 0.0, most: float = math.inf) -> Choice:
    """The window of the least expected cost, from `least` to `most` seconds."""
    seconds = _cheapest(pauses, even, _windows(even, least, most))
    return Choice(seconds, _reason(pauses, seconds, even, (least, most)))


@lru_cache(maxsize=64)
def _windows(even: float, least: float, most: float) -> tuple[tuple[float, float], ...]:
    """The windows that are looked at, rising, and what the unknown pause costs with each."""
    low = max(least, shortest(even))
    high = max(low, min(most, even * FARTHEST))
    bins = range(math.ceil(2 * math.log2(low)), math.floor(2 * math.log2(high)) + 1)
    found = {end_of(bin) for bin in bins} | {min(high, max(low, even))}
    return tuple((window, _unknown(window, even)) for window in sorted(found))


def _unknown(window: float, even: float) -> float:
    start = even / PRIOR
    return start * (1 + math.log(max(1.0, window / start)) + even / max(window, start))


def _cheapest(pauses: Pauses, even: float, windows: tuple[tuple[float, float], ...]) -> float:
    """The window with which the pauses so far, and the unknown one, would have cost the least."""
    bins = sorted(pauses.weights.items(), reverse=True)
    stayed, longer, best, least = 0.0, pauses.total, windows[0][0], math.inf
    for window, cost in windows:
        while bins and end_of(bins[-1][0]) <= window:
            bin, weight = bins.pop()
            stayed, longer = stayed + weight * middle_of(bin), longer - weight
        cost += stayed + longer * (window + even)
        if cost < least:
            best, least = window, cost
    return best


def _reason(pauses: Pauses, window: float, even: float, bounds: tuple[float, float]) -> str:
    least, most = bounds
    bound = (
        ", the longest that is allowed" if window == most else ", the shortest that is seen" if window == least else ""
    )
    if pauses.total < 0.5:
        return (
            f"nothing is known of its pauses yet: {told(window)}{bound}; a wake-up costs as much as {told(even)} awake"
        )
    ended = sum(weight for bin, weight in pauses.weights.items() if end_of(bin) <= window) / pauses.total
    return (
        f"of its last {pauses.total:.0f} pauses over {told(shortest(even))}, {ended:.0%} ended within {told(window)}{bound}; "
        f"waiting longer for the others costs more than a wake-up, which is worth {told(even)}"
    )


def told(seconds: float) -> str:
    """A length of time in words.

    >>> told(1800.0), told(5460.0), told(12.0)
    ('30 min', '91 min', '12 s')
    """
    for least, size, unit in ((172800, 86400, "days"), (7200, 3600, "h"), (90, 60, "min")):
        if seconds >= least:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"
