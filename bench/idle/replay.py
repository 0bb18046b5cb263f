"""A trace replayed with a policy: seconds awake, and cold starts.

The endpoint is awake at first. A request that finds it asleep is a cold start: 15 billed minutes, worth 15 more to the
caller who waits. Waking is taken to be over at once, so that each pause costs by itself: `window + 30 min` where it is
longer than the window, else itself; and what is best in hindsight is `min(pause, 30 min)`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

from bench.idle.traces import DAY, END, HOUR, MINUTE, Trace
from shared.idle import pauses, window

BILLED, WAITED = 15 * MINUTE, 15 * MINUTE
EVEN = BILLED + WAITED


class Policy(Protocol):
    """What decides how long the endpoint stays awake after a request, in seconds."""

    def window(self) -> float:
        """Return the window from now on."""

    def saw(self, pause: float) -> None:
        """Learn of a pause that has ended."""


@dataclass
class Fixed:
    """The same window always."""

    seconds: float

    def window(self) -> float:
        """Return it."""
        return self.seconds

    def saw(self, pause: float) -> None:
        """Learn nothing."""


class Auto:
    """Ours, through the rules that production uses; `delay` is how long the metrics lag."""

    def __init__(self, delay: float = 0.0) -> None:
        """Know nothing yet."""
        self._delay, self._seen = delay, pauses.Pauses()
        self._window = window.choose(self._seen, EVEN, delay).seconds

    def window(self) -> float:
        """Return what was learnt so far."""
        return self._window

    def saw(self, pause: float) -> None:
        """Count the pause, and choose anew where it told anything."""
        seen = pauses.count(self._seen, pause, window.shortest(EVEN))
        if seen is not self._seen:
            self._seen = seen
            self._window = window.choose(seen, EVEN, self._delay).seconds


POLICIES: dict[str, Callable[[], Policy]] = {
    "auto": Auto,
    "half an hour": lambda: Fixed(HOUR / 2),
    "an hour": lambda: Fixed(HOUR),
    "15 days": lambda: Fixed(15 * DAY),
    "always on": lambda: Fixed(math.inf),
}


@dataclass(frozen=True)
class Bill:
    """What a trace cost with a policy: seconds billed, and cold starts."""

    billed: float
    cold: int

    @property
    def cost(self) -> float:
        """Billed seconds, and those that callers waited."""
        return self.billed + self.cold * WAITED


def _pauses(trace: Trace) -> Iterator[float]:
    return (after - before for before, after in pairwise([0.0, *trace]))


def replay(trace: Trace, policy: Policy, tick: float = 0.0) -> Bill:
    """The bill of a policy; `tick` is how much later than its window the endpoint sleeps, in seconds."""
    billed, cold = 0.0, 0
    for pause in _pauses(trace):
        stays = policy.window() + tick
        cold += pause > stays
        billed += pause if pause <= stays else stays + BILLED
        policy.saw(pause)
    last = END - (trace[-1] if trace else 0.0)
    return Bill(billed + min(last, policy.window() + tick), cold)


def hindsight(trace: Trace) -> Bill:
    """The least bill that any windows could have made."""
    found = list(_pauses(trace))
    slept = [pause for pause in found if pause > EVEN]
    return Bill(sum(pause for pause in found if pause <= EVEN) + len(slept) * BILLED, len(slept))
