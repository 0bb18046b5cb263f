"""Office hours: `Mon-Fri 08:00-18:00 Europe/Berlin`, in which an endpoint is kept awake.

Ranges are separated by commas and share the zone at the end: `Mon-Fri 08:00-18:00, Sat 10:00-14:00 Europe/Berlin`. A
range whose end is not after its begin goes on into the next day (`Fri 22:00-06:00`). Times are those of the wall clock
there, whatever summer time does: one that the clock jumps over is the moment after the jump.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
EXAMPLE = "Mon-Fri 08:00-18:00 Europe/Berlin"
_RANGE = re.compile(r"(?P<days>\w+(?:\s*-\s*\w+)?)\s+(?P<begin>\d{1,2}:\d\d)\s*-\s*(?P<end>\d{1,2}:\d\d)")
_TAIL = re.compile(r"(?P<ranges>.*\d)(?:\s+(?P<zone>[A-Za-z][\w+/-]*))?", re.DOTALL)
_DAY = 24 * 60


@dataclass(frozen=True)
class Range:
    """A range of each of the `days` (Monday is 0), in minutes after their midnight; `end` may be past the next one."""

    days: frozenset[int]
    begin: int
    end: int


@dataclass(frozen=True)
class Hours:
    """Ranges of the week, in the zone's own time."""

    ranges: tuple[Range, ...]
    zone: str

    def since(self, present: datetime) -> datetime | None:
        """When the hours that hold now began (UTC), or None outside of them."""
        holding = [begin for begin, end in self._around(present, range(-2, 2)) if begin <= present < end]
        return min(holding, default=None)

    def until(self, present: datetime) -> datetime | None:
        """When the hours that hold now end (UTC), or None outside of them."""
        holding = [end for begin, end in self._around(present, range(-2, 2)) if begin <= present < end]
        return max(holding, default=None)

    @property
    def seconds_a_week(self) -> float:
        """How long they hold in a week; where ranges overlap, twice counted."""
        return 60.0 * sum(len(one.days) * (one.end - one.begin) for one in self.ranges)

    def next_begin(self, present: datetime) -> datetime:
        """When the next hours begin after this moment (UTC)."""
        return min(begin for begin, _ in self._around(present, range(-2, 9)) if begin > present)

    def _around(self, present: datetime, days: range) -> list[tuple[datetime, datetime]]:
        zone = _zone(self.zone)
        today = present.astimezone(zone).date()
        return [
            (_moment(day, one.begin, zone), _moment(day, one.end, zone))
            for day in (today + timedelta(days=ahead) for ahead in days)
            for one in self.ranges
            if day.weekday() in one.days
        ]


def _moment(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    later, left = divmod(minutes, _DAY)
    at = day + timedelta(days=later)
    return datetime(at.year, at.month, at.day, left // 60, left % 60, tzinfo=zone).astimezone(UTC)


def parse(text: str) -> Hours:
    """The hours in a text.

    Raises:
        ValueError: it names none; the message says which part is wrong and how to mend it.

    >>> parse("Fri 22:00-06:00 UTC").ranges
    (Range(days=frozenset({4}), begin=1320, end=1800),)
    """
    found = _TAIL.fullmatch(text.strip())
    if not found:
        raise ValueError(f"{text!r} names no hours: write them as in {EXAMPLE!r}")
    if not found["zone"]:
        raise ValueError(f"{text!r} names no time zone: end it with one, as in {EXAMPLE!r}, or with UTC")
    _zone(found["zone"])
    return Hours(tuple(_range(part) for part in found["ranges"].split(",")), found["zone"])


def _zone(name: str) -> ZoneInfo:
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:  # OSError: a folder of the database, `Europe`
        raise ValueError(f"the time zone {name!r} is unknown: write one such as Europe/Berlin, or UTC") from error


def _range(text: str) -> Range:
    found = _RANGE.fullmatch(text.strip())
    if not found:
        raise ValueError(f"{text.strip()!r} is no range of hours: write days and times, as in 'Mon-Fri 08:00-18:00'")
    begin, end = _minutes(found["begin"]), _minutes(found["end"])
    if begin == _DAY:
        raise ValueError(f"{found['begin']!r} begins no day: write 00:00 of the day after")
    if begin == end:
        raise ValueError(f"{found['begin']}-{found['end']} is empty: write 00:00-24:00 for a whole day")
    return Range(_days(found["days"]), begin, end if end > begin else end + _DAY)


def _minutes(text: str) -> int:
    hour, minute = map(int, text.split(":"))
    if minute > 59 or hour * 60 + minute > _DAY:
        raise ValueError(f"{text!r} is no time of day: write 00:00 to 24:00")
    return hour * 60 + minute


def _days(text: str) -> frozenset[int]:
    first, _, last = (part.strip().capitalize() for part in text.partition("-"))
    for name in (first, last or first):
        if name not in DAYS:
            raise ValueError(f"{name!r} is no day: write {', '.join(DAYS)}, or a range such as Mon-Fri")
    begin, end = DAYS.index(first), DAYS.index(last or first)
    return frozenset((begin + step) % 7 for step in range((end - begin) % 7 + 1))
