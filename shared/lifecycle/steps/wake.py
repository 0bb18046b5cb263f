"""An endpoint that is asleep and wanted: make its deployment again from what is recorded."""

from __future__ import annotations

from shared.endpoints import rollout
from shared.errors import ForeignResourceError, RejectedError
from shared.lifecycle.outcome import Again, Enter, Leave, Outcome
from shared.lifecycle.steps.billing import close_interval, open_interval
from shared.runs.records import Endpoint, moment, now
from shared.settings import settings


def consider_wake(record: Endpoint) -> Outcome:
    """Begins to wake where somebody asked."""
    if not record.wake_wanted or not record.model_id:
        return Leave()
    record.waking_since = now()
    open_interval(record, record.deployment, record.instance_type)
    return Enter("waking", "somebody asked")


def wake(record: Endpoint) -> Outcome:
    """One look at the waking deployment."""
    place = record.endpoint_name
    try:
        up = rollout.bring_up(place, record.name, record.deployment, record.model_id, record.instance_type, record.run)
        if not up or not rollout.route_all(place, record.name, record.deployment):
            return Again(min(1.0, settings().poll))
    except (RejectedError, ForeignResourceError) as error:
        close_interval(record, record.deployment)
        record.wake_wanted = False
        return Enter("falling_asleep", error.reason, error.reason, error.fix)
    seconds = (moment(now()) - moment(record.waking_since)).total_seconds()
    record.wake_seconds, record.wake_wanted = round(seconds, 1), False
    record.awake_since, record.reason, record.fix = now(), "", ""
    return Enter("awake", f"woke in {seconds:.0f} s")
