"""Office hours: what is written, what holds when, and what summer time does to it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.idle.hours import DAYS, EXAMPLE, parse

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC"])
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))
TIMES = st.integers(0, 24 * 60 - 1)


def clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def berlin(day: int, hour: int, minute: int = 0, month: int = 6) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=BERLIN).astimezone(UTC)


@given(MOMENTS, st.sets(st.integers(0, 6), min_size=1), TIMES, TIMES, ZONES)
def test_hours_within_a_day_hold_by_the_wall_clock_there(
    at: datetime, days: set[int], begin: int, end: int, zone: str
) -> None:
    begin, end = sorted((begin, end))
    if begin == end:
        return
    hours = parse(", ".join(f"{DAYS[day]} {clock(begin)}-{clock(end)}" for day in sorted(days)) + f" {zone}")
    there = at.astimezone(ZoneInfo(zone))
    if timedelta() != there.utcoffset() - (there - timedelta(hours=25)).astimezone(ZoneInfo(zone)).utcoffset():  # type: ignore[operator]
        return  # the clock was set that day: the wall's time is not enough to tell
    if timedelta() != there.utcoffset() - (at + timedelta(hours=25)).astimezone(ZoneInfo(zone)).utcoffset():  # type: ignore[operator]
        return
    minute = there.hour * 60 + there.minute
    assert (hours.since(at) is not None) == (there.weekday() in days and begin <= minute < end)


@given(MOMENTS, st.sampled_from(DAYS), st.sampled_from(DAYS), TIMES, TIMES, ZONES)
def test_the_next_hours_begin_later_within_eight_days_and_hold_from_then_on(
    at: datetime, first: str, last: str, begin: int, end: int, zone: str
) -> None:
    if begin == end:
        return
    hours = parse(f"{first}-{last} {clock(begin)}-{clock(end)} {zone}")
    following = hours.next_begin(at)
    assert at < following <= at + timedelta(days=8, hours=2)
    since = hours.since(at)
    assert since is None or since <= at
    # A range that lies whole within the hour that the clock jumps over is empty that day.
    assert hours.since(following) is not None or hours.next_begin(following) - following > timedelta(hours=20)


@given(st.text(max_size=30) | st.from_regex(r"[A-Z][a-z]{2}(-[A-Z][a-z]{2})? \d\d:\d\d-\d\d:\d\d [A-Za-z/]{0,12}"))
def test_whatever_is_written_is_read_or_refused_with_a_mend(text: str) -> None:
    try:
        hours = parse(text)
    except ValueError as error:
        assert "write" in str(error) or "end it with" in str(error)
    else:
        assert hours.next_begin(datetime(2026, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "names no hours"),
        ("always", "names no hours"),
        ("Mon-Fri 08:00-18:00", "names no time zone"),
        ("Mon-Fri 08:00-18:00 Europe/Bärlin", "'Europe/Bärlin' is unknown"),
        ("Mon-Fri 08:00-18:00 Europe/Berlim", "'Europe/Berlim' is unknown"),
        ("Mon-Fri 08:00-18:00 Europe", "'Europe' is unknown"),
        ("Mon-Fry 08:00-18:00 UTC", "'Fry' is no day"),
        ("Mon-Fri 08:00-25:00 UTC", "'25:00' is no time of day"),
        ("Mon-Fri 08:60-18:00 UTC", "'08:60' is no time of day"),
        ("Mon 24:00-06:00 UTC", "begins no day"),
        ("Mon 08:00-08:00 UTC", "is empty"),
        ("Mon 08:00-09:00, 10:00-11:00 UTC", "'10:00-11:00' is no range"),
        ("Mon-Fri 8-18 UTC", "is no range"),
    ],
)
def test_an_error_names_the_part_that_is_wrong(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        parse(text)


def test_office_hours_hold_in_summer_and_in_winter_by_the_clock_on_the_wall() -> None:
    hours = parse(EXAMPLE)
    assert hours.since(berlin(1, 8)) == datetime(2026, 6, 1, 6, tzinfo=UTC)
    assert hours.since(berlin(1, 8, month=12)) == datetime(2026, 12, 1, 7, tzinfo=UTC)
    assert hours.since(berlin(1, 18)) is None
    assert hours.next_begin(berlin(5, 12)) == berlin(8, 8)  # Friday noon: Monday


def test_a_night_goes_on_into_the_next_day_and_over_the_end_of_the_week() -> None:
    hours = parse("Sun 22:00-06:00 Europe/Berlin")
    assert hours.since(berlin(8, 5, 59)) == berlin(7, 22)  # Monday early
    assert hours.since(berlin(8, 6)) is None
    assert parse("Fri-Mon 09:00-10:00 UTC").ranges[0].days == {4, 5, 6, 0}


def test_hours_that_meet_or_overlap_are_told_from_the_first_of_them() -> None:
    hours = parse("Mon 08:00-12:00, Mon 11:00-15:00 UTC")
    assert hours.since(datetime(2026, 6, 1, 11, 30, tzinfo=UTC)) == datetime(2026, 6, 1, 8, tzinfo=UTC)
    assert hours.since(datetime(2026, 6, 1, 14, tzinfo=UTC)) == datetime(2026, 6, 1, 11, tzinfo=UTC)


def test_a_night_in_which_the_clock_is_set_is_an_hour_shorter_or_longer() -> None:
    hours = parse("Mon-Sun 01:00-04:00 Europe/Berlin")
    spring, autumn = datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 24, 23, tzinfo=UTC)
    minutes = [timedelta(minutes=step) for step in range(300)]
    assert sum(hours.since(spring + step) is not None for step in minutes) == 120
    assert sum(hours.since(autumn + step - timedelta(hours=1)) is not None for step in minutes) == 240


def test_a_begin_that_the_clock_jumps_over_is_the_moment_after_the_jump() -> None:
    hours = parse("Sun 02:30-05:00 Europe/Berlin")
    assert hours.next_begin(datetime(2026, 3, 29, tzinfo=UTC)) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
