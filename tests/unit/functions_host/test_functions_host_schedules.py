"""Timer schedules and TimeSpans of the functions host."""

from datetime import UTC, datetime, timedelta

import pytest

from local.functions_host.errors import HostConfigError, IndexingError
from local.functions_host.schedule import parse_schedule
from local.functions_host.timespan import is_timespan, parse_timespan

START = datetime(2026, 11, 24, 12, 0, 7, tzinfo=UTC)  # a Tuesday


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("*/5 * * * * *", datetime(2026, 11, 24, 12, 0, 10, tzinfo=UTC)),
        ("0 */5 * * * *", datetime(2026, 11, 24, 12, 5, tzinfo=UTC)),
        ("0 30 9 * * MON-FRI", datetime(2026, 11, 25, 9, 30, tzinfo=UTC)),
        ("0 0 0 1 JAN *", datetime(2027, 1, 1, tzinfo=UTC)),
        ("*/5 * * * *", datetime(2026, 11, 24, 12, 5, tzinfo=UTC)),
        ("00:00:05", START + timedelta(seconds=5)),
    ],
)
def test_a_schedule_knows_its_next_firing(text: str, expected: datetime) -> None:
    assert parse_schedule(text).next_after(START) == expected


def test_day_and_weekday_must_both_hold_as_ncrontab_has_it() -> None:
    friday_13th = parse_schedule("0 0 0 13 * FRI").next_after(START)
    assert friday_13th == datetime(2027, 8, 13, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["", "* * * *", "61 * * * * *", "0 0 0 L * *", "0 0 0 * * 5L", "often", "0 0 0 30 2 *"]
)
def test_what_is_no_schedule_is_refused(text: str) -> None:
    with pytest.raises(IndexingError, match="schedule"):
        parse_schedule(text)


def test_a_schedule_of_no_length_is_refused() -> None:
    with pytest.raises(IndexingError, match="longer than nothing"):
        parse_schedule("00:00:00")


def test_timers_that_fire_more_often_than_each_minute_keep_no_status() -> None:
    assert not parse_schedule("*/30 * * * * *").is_monitored
    assert parse_schedule("0 * * * * *").is_monitored


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("00:00:00.250", timedelta(milliseconds=250)),
        ("00:00:05", timedelta(seconds=5)),
        ("1.02:03:04", timedelta(days=1, hours=2, minutes=3, seconds=4)),
        ("00:05", timedelta(minutes=5)),
    ],
)
def test_a_timespan_is_read(text: str, expected: timedelta) -> None:
    assert is_timespan(text)
    assert parse_timespan(text) == expected


@pytest.mark.parametrize("text", ["5s", "", "00:00:60", "24:00:00", "-00:00:01"])
def test_what_is_no_timespan_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(HostConfigError, match="TimeSpan"):
        parse_timespan(text)
