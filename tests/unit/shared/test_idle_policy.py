"""When an endpoint may sleep."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.endpoints.idle import is_idle, last_used

NOW = datetime(2026, 1, 31, 10, 0, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=1)
MINUTES = st.dictionaries(st.integers(0, 300), st.integers(0, 5), max_size=8)


def minute(ago: int) -> str:
    return (NOW - timedelta(minutes=ago)).strftime("%Y-%m-%dT%H:%M")


@given(MINUTES, MINUTES, st.integers(1, 120), st.integers(0, 10))
def test_an_endpoint_that_others_use_in_the_window_is_never_idle(
    points: dict[int, int], sent: dict[int, int], window: int, lag: int
) -> None:
    counted = {minute(ago): float(count) for ago, count in points.items()}
    ours = {minute(ago): count for ago, count in sent.items()}
    foreign = any(count > sent.get(ago, 0) and ago <= window + lag for ago, count in points.items())
    used = last_used(counted, ours, None, LONG_AGO)
    assert is_idle(used, NOW, window * 60, lag * 60) != foreign


@given(st.integers(0, 7200), st.integers(1, 3600), st.integers(0, 600))
def test_our_own_last_use_counts_to_the_second(ago: int, window: int, lag: int) -> None:
    last_use = NOW - timedelta(seconds=ago)
    used = last_used({minute(ago // 60): 1.0, minute(ago // 60 + 1): 1.0}, {minute(0): 9}, last_use, LONG_AGO)
    assert used >= last_use
    exact = last_used({}, {}, last_use, LONG_AGO)
    assert is_idle(exact, NOW, window, lag) == (ago >= window + lag)


def test_requests_of_our_own_do_not_count_by_their_minute() -> None:
    assert last_used({minute(1): 2.0}, {minute(1): 2}, None, LONG_AGO) == LONG_AGO
    assert last_used({minute(1): 3.0}, {minute(1): 2}, None, LONG_AGO) == NOW


def test_waking_counts_as_use_and_a_window_of_0_never_ends() -> None:
    assert last_used({}, {}, LONG_AGO, NOW) == NOW
    assert not is_idle(LONG_AGO, NOW, 0, 0)
