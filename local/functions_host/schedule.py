"""Timer schedules: six-field NCRONTAB in UTC, or a TimeSpan between two firings.

Source: https://learn.microsoft.com/azure/azure-functions/functions-bindings-timer#ncrontab-expressions
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cronsim import CronSim, CronSimError

from local.functions_host.errors import IndexingError
from local.functions_host.timespan import is_timespan, parse_timespan

# NCRONTAB knows none of Quartz's and Debian's extras that cronsim reads.
_EXTRAS = re.compile(r"[#?]|\dL|\bLW?\b|\dW")


@dataclass(frozen=True)
class Schedule:
    """When a timer fires: `interval` for a TimeSpan, else `fields` of NCRONTAB."""

    text: str
    fields: tuple[str, ...] = ()
    interval: timedelta | None = None

    def next_after(self, moment: datetime) -> datetime:
        """Return the first firing later than the moment (UTC)."""
        if self.interval is not None:
            return moment + self.interval
        return next(self._firings(moment))

    @property
    def is_monitored(self) -> bool:
        """Tell whether the status blob is kept: Azure keeps none for timers that fire more than once a minute."""
        first = self.next_after(datetime.now(UTC))
        return self.next_after(first) - first >= timedelta(minutes=1)

    def _firings(self, moment: datetime) -> Iterator[datetime]:
        """Where day and weekday are both narrowed NCRONTAB wants both to hold, cron (and cronsim) either."""
        *head, day, month, weekday = self.fields
        by_day = CronSim(" ".join([*head, day, month, "*"]), moment)
        by_weekday = CronSim(" ".join([*head, "*", month, weekday]), moment)
        left, right = next(by_day, None), next(by_weekday, None)
        while left is not None and right is not None:
            if left == right:
                yield left
            if left <= right:
                left = next(by_day, None)
            else:
                right = next(by_weekday, None)


def parse_schedule(text: str) -> Schedule:
    """Read a schedule; anything that is no NCRONTAB of six fields and no TimeSpan raises IndexingError."""
    if is_timespan(text):
        interval = parse_timespan(text)
        if interval <= timedelta(0):
            raise IndexingError(f"the schedule {text!r} must be longer than nothing")
        return Schedule(text, interval=interval)
    fields = tuple(text.split())
    if len(fields) == 5:
        fields = ("0", *fields)
    if len(fields) != 6 or any(_EXTRAS.search(field.upper()) for field in (fields[3], fields[5])):
        raise IndexingError(f"the schedule {text!r} is neither NCRONTAB (six fields, seconds first) nor a TimeSpan")
    schedule = Schedule(text, fields)
    try:
        schedule.next_after(datetime.now(UTC))
    except (CronSimError, StopIteration) as error:
        raise IndexingError(f"the schedule {text!r} is no NCRONTAB: {error or 'it never fires'}") from None
    return schedule
