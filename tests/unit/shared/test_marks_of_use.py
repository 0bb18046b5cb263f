"""Marks of use over a minute's end: the service may count a request where it began or where it ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared import clock
from shared.azure import outside
from shared.endpoints import idle, usage

BEGAN = datetime(2027, 1, 15, 8, 0, 58, tzinfo=UTC)


class Watch:
    """A clock that is set by hand; what is to be done later is not done."""

    def __init__(self) -> None:
        self.at = BEGAN

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    def later(self, seconds: float, call: Callable[..., None], *arguments: Any) -> None:
        """Marks stay in memory."""


@pytest.fixture
def watch() -> Iterator[Watch]:
    before = clock._clock, outside._outside
    found = Watch()
    clock.use(found)
    outside.use(outside.Azure())
    yield found
    clock.use(before[0])
    outside.use(before[1])


@pytest.mark.parametrize(("seconds", "sent"), [(1, {"08:00": 1}), (5, {"08:00": 1, "08:01": 1})])
def test_a_request_is_ours_in_the_minute_of_its_end_too(watch: Watch, seconds: int, sent: dict[str, int]) -> None:
    with usage.sending("acme"):
        watch.at += timedelta(seconds=seconds)
    local = usage._local("acme")
    assert {minute[-5:]: count for minute, count in local.marks.sent.items()} == sent
    assert local.used == BEGAN, "what counts as use is its beginning"
    counted = {watch.at.strftime(usage.MINUTE): 1.0}
    assert idle.last_used(counted, local.marks.sent, local.used, BEGAN) == BEGAN


def test_somebody_elses_in_that_minute_is_still_seen(watch: Watch) -> None:
    with usage.sending("acme", probe=True):
        watch.at += timedelta(seconds=5)
    sent = usage._local("acme").marks.sent
    assert idle.last_used({"2027-01-15T08:01": 2.0}, sent, None, BEGAN) == datetime(2027, 1, 15, 8, 2, tzinfo=UTC)
