"""Recurrences: every so many minutes, hours, days, weeks or months, with a pattern for the last three.

Source: learn.microsoft.com/azure/machine-learning/how-to-schedule-pipeline-job: without a pattern, firings follow from start,
frequency and interval; a pattern gives hours and minutes, for weeks and months weekdays too; a month without the day asked for
has no firing. Not written there, and so assumed: weeks begin on Monday (it matters where the interval is more than 1).
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from azureml_box.errors import BadRequest

_SECONDS = {"minute": 60, "hour": 3600}
_DAYS = {"day": 1, "week": 7}
_FREQUENCIES = (*_SECONDS, *_DAYS, "month")
_WEEKDAYS = [name.lower() for name in calendar.day_name]
_NINE_YEARS = 366 * 9  # between two 29ths of February


@dataclass(frozen=True)
class Recurrence:
    """What recurs; empty parts of the pattern are the start's own."""

    frequency: str
    interval: int
    hours: tuple[int, ...] = ()
    minutes: tuple[int, ...] = ()
    weekdays: tuple[int, ...] = ()
    month_days: tuple[int, ...] = ()

    def next_after(self, start: datetime, moment: datetime) -> datetime | None:
        """Return the first firing later than a moment, none of them earlier than the start, in the start's zone."""
        if self.frequency in _SECONDS:
            step = self.interval * _SECONDS[self.frequency]
            passed = (moment - start).total_seconds()
            count = 0 if passed < 0 else int(passed // step) + 1
            return datetime.fromtimestamp(start.timestamp() + count * step, start.tzinfo)
        local = max(moment.astimezone(start.tzinfo), start)
        for day in self._days(start.date(), local.date() - timedelta(days=1)):
            for at in self._times(start):
                found = datetime.combine(day, at, start.tzinfo)
                if found.timestamp() > moment.timestamp() and found.timestamp() >= start.timestamp():
                    return found
        return None

    def _days(self, first: date, after: date) -> Iterator[date]:
        """Days of the recurrence from `after` on, as far as one can be expected."""
        begin = max(first, after)
        for passed in range(_NINE_YEARS + 124 * self.interval):
            if self._on(first, day := begin + timedelta(days=passed)):
                yield day

    def _on(self, first: date, day: date) -> bool:
        if self.frequency == "day":
            return (day - first).days % self.interval == 0
        if self.frequency == "week":
            weeks = ((day - timedelta(days=day.weekday())) - (first - timedelta(days=first.weekday()))).days // 7
            return weeks % self.interval == 0 and day.weekday() in (self.weekdays or (first.weekday(),))
        months = (day.year - first.year) * 12 + day.month - first.month
        if months % self.interval:
            return False
        if self.weekdays and not self.month_days:
            return day.weekday() in self.weekdays
        return day.day in (self.month_days or (first.day,)) and day.weekday() in (self.weekdays or range(7))

    def _times(self, start: datetime) -> Iterator[time]:
        patterned = bool(self.hours or self.minutes)
        for hour in self.hours or (start.hour,):
            for minute in self.minutes or (start.minute,):
                yield time(hour, minute) if patterned else time(hour, minute, start.second, start.microsecond)


def read(sent: Mapping[str, Any]) -> Recurrence:
    """Read the trigger's frequency, interval and pattern.

    Raises:
        BadRequest: one of them is out of range, or the frequency has no pattern.
    """
    frequency = str(sent.get("frequency") or "").lower()
    if frequency not in _FREQUENCIES:
        raise _wrong("frequency", f"must be one of {', '.join(_FREQUENCIES)}, not {sent.get('frequency')!r}")
    pattern = sent.get("schedule") or {}
    days = pattern.get("weekDays") or []
    if unknown := [day for day in days if str(day).lower() not in _WEEKDAYS]:
        raise _wrong("schedule.weekDays", f"{unknown[0]!r} is no day of the week")
    made = Recurrence(
        frequency,
        _numbers({"interval": [sent.get("interval")]}, "interval", 1, 1000)[0],
        _numbers(pattern, "hours", 0, 23),
        _numbers(pattern, "minutes", 0, 59),
        tuple(sorted({_WEEKDAYS.index(str(day).lower()) for day in days})),
        _numbers(pattern, "monthDays", 1, 31),
    )
    _must_fit(made)
    return made


def _must_fit(made: Recurrence) -> None:
    if made.frequency in _SECONDS and (made.hours or made.minutes or made.weekdays or made.month_days):
        raise _wrong("schedule", f"a pattern goes with day, week and month, not with {made.frequency}")
    if made.frequency == "day" and (made.weekdays or made.month_days):
        raise _wrong("schedule", "a recurrence by the day takes hours and minutes only")
    if made.frequency == "week" and made.month_days:
        raise _wrong("schedule", "monthDays go with the frequency month")


def _numbers(given: Mapping[str, Any], name: str, least: int, most: int) -> tuple[int, ...]:
    values = given.get(name) or []
    for value in values:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            place = name if name == "interval" else f"schedule.{name}"
            raise _wrong(place, f"must be whole numbers from {least} to {most}, not {value!r}")
    return tuple(sorted(set(values)))


def _wrong(name: str, why: str) -> BadRequest:
    where = f"properties.trigger.{name}"
    return BadRequest(f"{where}: {why}.", target=where)
