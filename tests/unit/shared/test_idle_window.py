"""The window that an endpoint's own pauses teach."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.idle.pauses import LAST_BIN, Pauses, bin_of, count, end_of, middle_of
from shared.idle.window import FARTHEST, FINEST, break_even, choose, shortest

SECONDS = st.floats(0.0, 1e8)
EVEN = 1800.0


def after(*seconds: float, even: float = EVEN) -> Pauses:
    seen = Pauses()
    for pause in seconds:
        seen = count(seen, pause, shortest(even))
    return seen


def bill(pauses: list[float], window: float) -> float:
    return sum(pause if pause <= window else window + EVEN for pause in pauses)


def learning(pauses: list[float]) -> float:
    seen, cost = Pauses(), 0.0
    for pause in pauses:
        cost += bill([pause], choose(seen, EVEN).seconds)
        seen = count(seen, pause, shortest(EVEN))
    return cost


@given(st.lists(SECONDS, max_size=200))
def test_the_histogram_stays_small_and_survives_its_record(pauses: list[float]) -> None:
    seen = after(*pauses)
    assert len(seen.weights) <= LAST_BIN + 1
    assert seen.total <= 51
    assert msgspec.json.decode(msgspec.json.encode(seen), type=Pauses) == seen


@given(SECONDS)
def test_a_pause_is_in_the_bin_whose_ends_are_around_it(seconds: float) -> None:
    bin = bin_of(seconds)
    assert seconds <= end_of(bin) * (1 + 1e-6) or bin == LAST_BIN
    assert bin == 0 or seconds > end_of(bin - 1)
    assert end_of(bin - 1) < middle_of(bin) < end_of(bin)


@given(st.lists(SECONDS, max_size=60), st.floats(2.0, 7200.0), st.floats(0.0, 3000.0), st.floats(1.0, 1e6))
def test_the_window_is_always_within_its_bounds(pauses: list[float], even: float, least: float, most: float) -> None:
    found = choose(after(*pauses, even=even), even, least, most).seconds
    assert least <= found <= max(least, even * FINEST, min(most, even * FARTHEST))


@given(st.floats(2.0, 7200.0))
def test_an_endpoint_of_which_nothing_is_known_waits_for_the_break_even_and_says_so(even: float) -> None:
    choice = choose(Pauses(), even)
    assert choice.seconds == pytest.approx(even)
    assert "nothing is known" in choice.reason


@given(SECONDS)
def test_the_first_pause_costs_at_most_twice_what_hindsight_costs(pause: float) -> None:
    window = choose(Pauses(), EVEN).seconds
    assert bill([pause], window) <= 2 * min(pause, EVEN) + 1e-6


@given(st.floats(120.0, 1200.0), st.integers(20, 60))
def test_pauses_that_are_all_short_are_waited_out(pause: float, many: int) -> None:
    assert choose(after(*[pause] * many), EVEN).seconds >= pause


@given(st.floats(4 * EVEN, 1e7), st.integers(3, 60))
def test_after_a_few_long_pauses_it_sleeps_almost_at_once(pause: float, many: int) -> None:
    choice = choose(after(*[pause] * many), EVEN)
    assert choice.seconds <= EVEN / 8
    assert "0% ended" in choice.reason


@given(st.lists(st.floats(60.0, 100_000.0), min_size=100, max_size=300))
def test_learning_costs_little_more_than_the_break_even_whatever_comes(pauses: list[float]) -> None:
    assert learning(pauses) <= 1.5 * bill(pauses, EVEN)


@pytest.mark.parametrize("pattern", [[120.0], [80_000.0], [90.0] * 20 + [30_000.0]])
def test_what_repeats_costs_at_most_an_eighth_more_than_in_hindsight(pattern: list[float]) -> None:
    pauses = (pattern * 300)[:300]
    assert learning(pauses) <= 1.125 * sum(min(pause, EVEN) for pause in pauses) + 2 * EVEN


def test_an_endpoint_that_becomes_another_is_learnt_anew() -> None:
    before = [120.0] * 500
    assert choose(after(*before), EVEN).seconds > EVEN / 2
    assert choose(after(*before, *[30_000.0] * 60), EVEN).seconds < EVEN / 4


def test_a_wake_up_is_billed_and_waited_for_and_an_odd_one_does_not_count_in_full() -> None:
    assert break_even(10.0) == 20.0
    assert break_even(0.0) == 1800.0
    assert break_even(1e6) == 7200.0


def test_the_longest_that_is_allowed_is_told() -> None:
    choice = choose(after(*[500.0] * 30), EVEN, 0.0, 600.0)
    assert choice.seconds == 600.0
    assert "the longest that is allowed" in choice.reason
