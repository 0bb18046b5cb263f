"""When schedules fire: against Azure's documented examples, and a plain search over minutes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from azure.ai.ml.constants import TimeZone
from hypothesis import given, settings
from hypothesis import strategies as st

from azureml_box.errors import BadRequest
from azureml_box.schedules.triggers import parse
from azureml_box.schedules.zones import zone

NOW = datetime(2026, 11, 25, 5, 0, tzinfo=UTC)


def firings(trigger: dict[str, Any], count: int, after: datetime = NOW) -> list[str]:
    read, found = parse(trigger, after), []
    while len(found) < count and (following := read.next_after(after)) is not None:
        found.append(f"{following:%Y-%m-%d %H:%M}")
        after = following
    return found


def recurrence(
    frequency: str, interval: int = 1, /, start: str = "2026-11-25T06:00:00", **pattern: Any
) -> dict[str, Any]:
    schedule = {"hours": [], "minutes": [], **pattern}
    rule = {"triggerType": "Recurrence", "frequency": frequency, "interval": interval, "schedule": schedule}
    return {**rule, "startTime": start}


@pytest.mark.parametrize(
    ("trigger", "expected"),
    [
        # how-to-schedule-pipeline-job: "every 12 hours starting at 6 AM"
        (recurrence("Hour", 12), ["2026-11-25 06:00", "2026-11-25 18:00", "2026-11-26 06:00"]),
        # a start in the past: the first job runs at the next calculated time
        (recurrence("Minute", 7, start="2026-11-25T04:58:00"), ["2026-11-25 05:05", "2026-11-25 05:12"]),
        (recurrence("Day", 1, hours=[4, 6], minutes=[30]), ["2026-11-25 06:30", "2026-11-26 04:30", "2026-11-26 06:30"]),
        (recurrence("Week", 2, weekDays=["Monday"], hours=[1], minutes=[0]), ["2026-12-07 01:00", "2026-12-21 01:00"]),
        # "31st day of every month, in months with less than 31 days, the schedule won't trigger"
        (recurrence("Month", 1, monthDays=[31], hours=[0], minutes=[0]), ["2026-12-31 00:00", "2027-01-31 00:00"]),
        (recurrence("Month", 1, start="2026-10-31T01:00:00"), ["2026-12-31 01:00", "2027-01-31 01:00", "2027-03-31 01:00"]),
        (recurrence("Month", 12, start="2024-02-29T00:00:00"), ["2028-02-29 00:00", "2032-02-29 00:00"]),
        (recurrence("Month", 12, start="2026-02-01T00:00:00", monthDays=[30]), []),
        # "DAYS and MONTH are not supported. If you pass a value, it will be ignored"
        ({"triggerType": "Cron", "expression": "15 16 1 1 1"}, ["2026-11-30 16:15", "2026-12-07 16:15"]),
        ({"triggerType": "Cron", "expression": "0 9 * * mon-wed", "timeZone": "India Standard Time"}, ["2026-11-30 03:30"]),
        ({"triggerType": "Cron", "expression": "0 0 * * *", "startTime": "2026-12-01T00:00:00-04:00"}, ["2026-12-02 00:00"]),
        ({"triggerType": "Cron", "expression": "0 6 * * *", "endTime": "2026-11-26T06:00:00"}, ["2026-11-25 06:00", "2026-11-26 06:00"]),
    ],
)  # fmt: skip
def test_triggers_fire_as_azures_pages_say(trigger: dict[str, Any], expected: list[str]) -> None:
    end = expected == [] or "endTime" in trigger
    assert firings(trigger, len(expected) + end) == expected


def test_daylight_saving_moves_the_moment_and_not_the_hour() -> None:
    local = {"timeZone": "Pacific Standard Time", "startTime": "2026-03-06T10:15:00"}
    before = datetime(2026, 3, 6, tzinfo=UTC)
    expected = ["2026-03-06 18:15", "2026-03-07 18:15", "2026-03-08 17:15"]
    assert firings({"triggerType": "Cron", "expression": "15 10 * * *", **local}, 3, before) == expected
    assert firings({**recurrence("Day"), **local}, 3, before) == expected
    every_day = {**local, "startTime": "2026-03-06T10:15:00"}
    assert firings({**recurrence("Hour", 24), **every_day}, 3, before)[-1] == "2026-03-08 18:15"


@pytest.mark.parametrize("name", [member.value for member in TimeZone])
def test_every_zone_of_azures_list_is_known_whatever_its_case(name: str) -> None:
    assert zone(name) == zone(name.upper() if name != "UTC" else name)
    assert zone("Europe/Berlin") is zone("Europe/Berlin") == ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    "trigger",
    [
        recurrence("Fortnight"), recurrence("Day", 0), recurrence("Day", 1, hours=[24]), recurrence("Day", 1, minutes=[-1]),
        recurrence("Hour", 1, hours=[3]), recurrence("Day", 1, weekDays=["Monday"]), recurrence("Week", 1, weekDays=["Moonday"]),
        recurrence("Month", 1, monthDays=[32]), recurrence("Week", 1, monthDays=[1]), recurrence("Day", True),
        {"triggerType": "Cron", "expression": "* * * *"}, {"triggerType": "Cron", "expression": "0 0 0 * * *"},
        {"triggerType": "Cron", "expression": "61 * * * *"}, {"triggerType": "Cron", "expression": "0 0 * * 5L"},
        {"triggerType": "Cron", "expression": "0 0 * * *", "timeZone": "../etc/passwd"}, {"triggerType": "OneTime"},
        {"triggerType": "Cron", "expression": "0 0 * * *", "startTime": "tomorrow"},
    ],
)  # fmt: skip
def test_a_trigger_that_is_wrong_is_refused_by_its_field(trigger: dict[str, Any]) -> None:
    with pytest.raises(BadRequest) as caught:
        parse(trigger, NOW)
    assert str(caught.value.target).startswith("properties.trigger.")


@settings(max_examples=60, deadline=None)
@given(
    frequency=st.sampled_from(["day", "week", "month"]),
    interval=st.integers(1, 3),
    hours=st.lists(st.integers(0, 23), max_size=2),
    minutes=st.lists(st.integers(0, 59), max_size=2),
    days=st.lists(st.sampled_from(["Monday", "Thursday", "Sunday"]), max_size=2, unique=True),
    offset=st.integers(0, 60 * 24 * 9),
)
def test_recurrences_are_what_a_search_over_all_minutes_finds(
    frequency: str, interval: int, hours: list[int], minutes: list[int], days: list[str], offset: int
) -> None:
    pattern: dict[str, Any] = {"hours": hours, "minutes": minutes} | ({"weekDays": days} if frequency != "day" else {})
    trigger = parse(recurrence(frequency, interval, **pattern), NOW)
    start, moment = trigger.start, NOW + timedelta(minutes=offset)
    names = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]

    def fires(at: datetime) -> bool:
        weeks = (at.date() - start.date() + timedelta(days=start.weekday())).days // 7
        months = (at.year - start.year) * 12 + at.month - start.month
        passed = {"day": (at.date() - start.date()).days, "week": weeks, "month": months}[frequency]
        weekday = names[at.weekday()] in days if days else at.weekday() == start.weekday()
        on = {"day": True, "week": weekday, "month": weekday if days else at.day == start.day}[frequency]
        return bool(
            passed % interval == 0
            and on
            and at.hour in (hours or [start.hour])
            and at.minute in (minutes or [start.minute])
        )

    found, at = None, max(start, moment + timedelta(minutes=1)).replace(second=0)
    for _ in range(60 * 24 * 130):
        if fires(at):
            found = at
            break
        at += timedelta(minutes=1)
    assert trigger.next_after(moment) == found
