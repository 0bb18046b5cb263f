"""Seven kinds of request traces, four weeks each: the times of requests in seconds, sorted.

What a trace is like in its kind (how dense, how long) is drawn from its seed too, each over a decade or so.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import lru_cache
from random import Random

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
WEEKS = 4
END = WEEKS * 7 * DAY

Trace = list[float]


def _between(chance: Random, low: float, high: float) -> float:
    """One of the values between two, each octave as likely as the other."""
    return math.exp(chance.uniform(math.log(low), math.log(high)))


def _poisson(chance: Random, mean: float, begin: float = 0.0, end: float = END) -> Iterator[float]:
    at = begin + chance.expovariate(1 / mean)
    while at < end:
        yield at
        at += chance.expovariate(1 / mean)


def steady(chance: Random) -> Trace:
    """Around the clock, a request every 1 to 10 minutes."""
    return list(_poisson(chance, _between(chance, MINUTE, 10 * MINUTE)))


def office_hours(chance: Random) -> Trace:
    """Mon to Fri from about 8 to about 18, every 2 to 15 minutes; in between somebody every 1 to 3 days."""
    mean = _between(chance, 2 * MINUTE, 15 * MINUTE)
    found = list(_poisson(chance, _between(chance, DAY, 3 * DAY)))
    for day in (day for day in range(WEEKS * 7) if day % 7 < 5):
        begin, end = (day * DAY + chance.gauss(hour, 0.4) * HOUR for hour in (8, 18))
        found += _poisson(chance, mean, begin, end)
    return sorted(found)


def bursty(chance: Random) -> Trace:
    """Every 2 to 12 hours a burst of 5 to 60 requests, each 20 s to 3 minutes after the last."""
    pause, step = _between(chance, 2 * HOUR, 12 * HOUR), _between(chance, 20.0, 3 * MINUTE)
    size, found = _between(chance, 5, 60), []
    for at in _poisson(chance, pause):
        for _ in range(1 + int(chance.expovariate(1 / size))):
            found.append(at)
            at += chance.expovariate(1 / step)
    return sorted(at for at in found if at < END)


def one_a_day(chance: Random) -> Trace:
    """One request a day at about the same time, give or take 5 minutes to 2 hours."""
    at, spread = chance.uniform(0.2, 0.8) * DAY, _between(chance, 5 * MINUTE, 2 * HOUR)
    return sorted(min(END, max(0.0, day * DAY + chance.gauss(at, spread))) for day in range(WEEKS * 7))


def heavy_tailed(chance: Random) -> Trace:
    """Pauses of a Pareto distribution: from 30 s to 3 minutes up, of exponent 0.8 to 1.4, a week at most."""
    power, least = chance.uniform(0.8, 1.4), _between(chance, 30.0, 3 * MINUTE)
    return _steps(lambda _: min(7 * DAY, least * (1.0 - chance.random()) ** (-1 / power)))


def dying_out(chance: Random) -> Trace:
    """A request every 1 to 5 minutes at first, half as often every 1.5 to 4 days."""
    mean, half = _between(chance, MINUTE, 5 * MINUTE), _between(chance, 1.5 * DAY, 4 * DAY)
    return _steps(lambda at: chance.expovariate(1 / (mean * 2 ** (at / half))))


def sparse(chance: Random) -> Trace:
    """At random times, every 2 to 24 hours."""
    return list(_poisson(chance, _between(chance, 2 * HOUR, DAY)))


def _steps(pause: Callable[[float], float]) -> Trace:
    found, at = [], pause(0.0)
    while at < END:
        found.append(at)
        at += pause(at)
    return found


KINDS: dict[str, Callable[[Random], Trace]] = {
    "steady": steady,
    "office hours": office_hours,
    "bursty": bursty,
    "one a day": one_a_day,
    "heavy-tailed": heavy_tailed,
    "dying out": dying_out,
    "sparse": sparse,
}


def at_break_even(chance: Random) -> Trace:
    """At random times, every half hour on average: no rule can tell what comes (e/(e-1) = 1.58 is its bound)."""
    return list(_poisson(chance, 30 * MINUTE))


@lru_cache(maxsize=64)
def trace(kind: str, seed: int) -> Trace:
    """The trace of a kind and a seed: always the same."""
    make = KINDS.get(kind, at_break_even)
    return make(Random(f"{kind} {seed}"))
