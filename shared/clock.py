"""The time, asked in one place: what a test sets instead is the time of all of droptune."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Protocol


class Clock(Protocol):
    """What droptune asks of time."""

    def now(self) -> datetime:
        """This moment in UTC, as this machine sees it."""

    def monotonic(self) -> float:
        """Seconds that only differences have a meaning of."""

    def later(self, seconds: float, call: Callable[..., None], *arguments: Any) -> None:
        """Calls something in so many seconds, in the background; lost where the process ends before."""


class SystemClock:
    """The machine's own."""

    def now(self) -> datetime:
        """This moment in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds of the monotonic clock."""
        return time.monotonic()

    def later(self, seconds: float, call: Callable[..., None], *arguments: Any) -> None:
        """Calls something in a thread of its own."""
        timer = threading.Timer(seconds, call, arguments)
        timer.daemon = True
        timer.start()


_clock: Clock = SystemClock()


def use(clock: Clock) -> None:
    """Sets the clock of this process."""
    global _clock
    _clock = clock


def now() -> datetime:
    """This moment in UTC."""
    return _clock.now()


def monotonic() -> float:
    """Seconds of the monotonic clock."""
    return _clock.monotonic()


def later(seconds: float, call: Callable[..., None], *arguments: Any) -> None:
    """Calls something in so many seconds, in the background."""
    _clock.later(seconds, call, *arguments)
