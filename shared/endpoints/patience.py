"""Keeping a caller rather than sending him away: while the model wakes as long as he asked for, and for short jams.

`Prefer: wait=N` (RFC 7240) is how a caller says that he would rather wait, N seconds, 200 at most: Azure's front end cuts
a request at 230 s, and the answer itself needs some.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Awaitable
from typing import TypeVar

from msgspec.structs import replace

from shared import clock
from shared.endpoints.refusals import ScoringError
from shared.endpoints.scoring import Question, put

AnswerT = TypeVar("AnswerT")
MOST_WAIT = 200
CUT_SECONDS = 222.0
LOOK_SECONDS = 0.5
_WAIT = re.compile(r"(?:^|[;,])\s*wait\s*=\s*\"?(\d{1,6})\"?\s*(?=[;,]|$)", re.IGNORECASE)


def preferred_wait(prefer: str) -> float | None:
    """Seconds of a `Prefer` header's `wait`, or None where it has none.

    >>> preferred_wait("respond-async, wait=100"), preferred_wait("wait=900"), preferred_wait("return=minimal")
    (100.0, 200.0, None)
    """
    match = _WAIT.search(prefer)
    return float(min(int(match[1]), MOST_WAIT)) if match else None


async def answered(question: Question, wait: float | None) -> bytes:
    """The answer, after at most `wait` seconds of sleep (None: the short waits alone).

    Raises:
        ScoringError: what to answer instead.
    """
    began = clock.monotonic()
    while True:
        try:
            return await put(question)
        except ScoringError as error:
            await _pause(error, began, wait)
            question = replace(question, recent=LOOK_SECONDS)


async def in_time(answer: Awaitable[AnswerT]) -> AnswerT:
    """What is awaited, before Azure's front end cuts the request.

    Raises:
        ScoringError: 504, it took longer.
    """
    try:
        async with asyncio.timeout(CUT_SECONDS):
            return await answer
    except TimeoutError:
        told = "the model took too long: ask for fewer tokens, or again when it is less busy"
        raise ScoringError(504, "timeout", told, headers={"Retry-After": "5"}) from None


async def _pause(error: ScoringError, began: float, wait: float | None) -> None:
    """Waits before the next try, or raises the error where the time is over."""
    asleep = error.code == "model_asleep"
    limit = wait if asleep and wait is not None else error.hold
    pause = LOOK_SECONDS if asleep else float(error.headers.get("Retry-After", "1")) * (0.5 + random.random())
    if clock.monotonic() - began + pause > limit:
        raise error
    await asyncio.sleep(pause)
