"""An endpoint that is awake: is it idle? And one that falls asleep: is its deployment gone?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from shared.endpoints import idle, rollout, usage
from shared.errors import ServiceError
from shared.lifecycle.outcome import Again, Enter, Leave, Outcome
from shared.lifecycle.steps.billing import close_interval
from shared.runs.records import Endpoint, moment, now
from shared.settings import settings


def consider_sleep(record: Endpoint) -> Outcome:
    """Falls asleep where nobody used the endpoint for its window; what cannot be read is unknown, not idle."""
    window = settings().idle_after if record.idle_after is None else record.idle_after
    if window == 0 or record.deploying:
        return Leave()
    try:
        if not _idle(record, window):
            return Leave()
    except ServiceError:
        record.unknown_looks += 1
        return Again(settings().watch, changed=True)
    record.unknown_looks, record.generation = 0, record.generation + 1
    return Enter("falling_asleep", f"unused for {window:.0f} s")


def _idle(record: Endpoint, window: float) -> bool:
    present, began = datetime.now(UTC), moment(record.awake_since)
    marks = usage.marks(record.name)
    last_use = moment(marks.last_use) if marks.last_use else None
    if not idle.is_idle(max(began, last_use or began), present, window, settings().metrics_lag):
        return False  # our own mark alone says that it is in use: no metric is asked for
    since = present - timedelta(seconds=window + settings().metrics_lag + 60)
    points = usage.requests_by_minute(record.endpoint_name, since, present)
    used = idle.last_used(points, usage.marks(record.name).sent, last_use, began)
    return idle.is_idle(used, present, window, settings().metrics_lag)


def fall_asleep(record: Endpoint) -> Outcome:
    """Takes the deployment away; the endpoint, which costs nothing, keeps its address and keys."""
    if not rollout.take_down(record.endpoint_name, record.name, record.deployment):
        return Again(min(1.0, settings().poll))
    close_interval(record, record.deployment)
    record.asleep_since = now()
    return Enter("asleep", "the deployment is gone")
