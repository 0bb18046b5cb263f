"""The line before a deployment: so many requests at it at once, the others wait in order, and too many are told when.

Azure answers 429 beyond 2 × max_concurrent_requests_per_instance × instances (AZUREML_CONTRACT section 3). The line never
sends more, and takes nobody who would wait longer than `PATIENCE`: he hears 429 at once, not a time-out in the end. There
is one line a deployment and an instance of the function app; what another instance sends shows in the endpoint's own 429.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque

from shared import clock
from shared.endpoints.refusals import busy

PATIENCE = 60.0
LONGEST_WAIT = 110.0  # with a request's own 90 s below the 230 s at which Azure's front end cuts
MOST_WAITING = 1000
LEAST_SLOTS = 2
FIRST_GUESS = 1.0
_WEIGHT = 0.2


def expected_wait(waiting: int, slots: int, seconds: float) -> float:
    """Seconds that one who comes now waits, behind so many others, where an answer takes `seconds`.

    >>> expected_wait(3, 2, 1.5)
    3.0
    """
    return (waiting + 1) * seconds / slots


class Line:
    """One deployment's; belongs to the event loop that asks it. `asked_at`: when its width was last asked for."""

    def __init__(self) -> None:
        self.slots, self.asked_at = LEAST_SLOTS, -math.inf
        self.seconds = FIRST_GUESS
        self._running = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def full(self) -> bool:
        """Whether who comes now must wait."""
        return self._running >= self.slots

    def widen(self, slots: int) -> None:
        """Sets how many may be at the deployment at once."""
        self.slots = max(LEAST_SLOTS, slots)
        self._next()

    async def enter(self) -> None:
        """Takes a place, at once or in turn.

        Raises:
            ScoringError: 429, the wait would be too long, or was.
        """
        if not self.full:
            self._running += 1
            return
        wait = expected_wait(len(self._waiting), self.slots, self.seconds)
        if wait > PATIENCE or len(self._waiting) >= MOST_WAITING:
            raise busy(min(wait - PATIENCE / 2, PATIENCE), f"{len(self._waiting)} requests wait for the model already")
        await self._wait()

    async def _wait(self) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            async with asyncio.timeout(LONGEST_WAIT):
                await turn
        except TimeoutError:
            self._give_up(turn)
            raise busy(PATIENCE / 2, "the model is slower than it was: the wait was too long") from None
        except asyncio.CancelledError:
            self._give_up(turn)
            raise

    def _give_up(self, turn: asyncio.Future[None]) -> None:
        if turn.done() and not turn.cancelled():
            self._done()  # the turn came in the same moment
        else:
            turn.cancel()
            if turn in self._waiting:
                self._waiting.remove(turn)

    def leave(self, began: float) -> None:
        """Gives the place back; `began` is when it was taken (`clock.monotonic`)."""
        self.seconds += _WEIGHT * (clock.monotonic() - began - self.seconds)
        self._done()

    def _done(self) -> None:
        self._running -= 1
        self._next()

    def _next(self) -> None:
        """Gives free places to those who wait; one who gave up this moment is passed over."""
        while self._waiting and not self.full:
            turn = self._waiting.popleft()
            if not turn.done():
                self._running += 1
                turn.set_result(None)
