"""When a schedule fires: its trigger as it was sent, checked and read.

Sources: learn.microsoft.com/azure/machine-learning/how-to-schedule-pipeline-job and reference-yaml-schedule; `CronTrigger` and
`RecurrenceTrigger` of the ARM reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from azureml_box.errors import BadRequest
from azureml_box.schedules import cron
from azureml_box.schedules.recurrence import Recurrence, read
from azureml_box.schedules.zones import zone

_PLACE = "properties.trigger"


@dataclass(frozen=True)
class Trigger:
    """A rule with its zone, and from when to when it holds (both in that zone)."""

    rule: Recurrence | str
    zone: ZoneInfo
    start: datetime
    end: datetime | None

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the first firing later than a moment (UTC), or None where there is none any more.

        A start in the past discards the firings that lie there: the first is the next calculated one.
        """
        if isinstance(self.rule, Recurrence):
            found = self.rule.next_after(self.start, moment)
        else:
            earliest = max(moment, self.start - timedelta(microseconds=1))  # the start itself may be a firing
            found = cron.next_after(self.rule, earliest.astimezone(self.zone))
        if found is None or (self.end is not None and found > self.end):
            return None
        return found.astimezone(UTC)


def parse(sent: Mapping[str, Any], now: datetime) -> Trigger:
    """Read a trigger; one without a start begins now.

    Raises:
        BadRequest: something in it is wrong.
    """
    where = zone(str(sent.get("timeZone") or "UTC"))
    start = _moment(sent, "startTime", where) or now.astimezone(where)
    end = _moment(sent, "endTime", where)
    kind = str(sent.get("triggerType") or "").lower()
    if kind not in ("cron", "recurrence"):
        _refuse("triggerType", f"must be Cron or Recurrence, not {sent.get('triggerType')!r}")
    if end is not None and end <= start:
        _refuse("endTime", f"{sent.get('endTime')} is not later than the start")
    rule = read(sent) if kind == "recurrence" else cron.checked(str(sent.get("expression") or ""))
    return Trigger(rule, where, start, end)


def _moment(sent: Mapping[str, Any], name: str, where: ZoneInfo) -> datetime | None:
    """ISO 8601 in the trigger's zone; an offset, where one was written, counts."""
    if not sent.get(name):
        return None
    try:
        found = datetime.fromisoformat(str(sent[name]))
    except ValueError:
        _refuse(name, f"{sent[name]!r} is no time in ISO 8601 (2026-06-01T10:15:00)")
    return found.replace(tzinfo=where) if found.tzinfo is None else found.astimezone(where)


def _refuse(name: str, why: str) -> Any:
    raise BadRequest(f"{_PLACE}.{name}: {why}.", target=f"{_PLACE}.{name}")
