"""An endpoint that is awake: is it idle, and does it answer? And one that falls asleep: is its deployment gone?"""

from __future__ import annotations

from datetime import timedelta

from shared.azure.blobs import Container
from shared.endpoints import deployments, idle, rollout, usage
from shared.endpoints.target import FRESH_SECONDS
from shared.errors import ServiceError
from shared.lifecycle import problems
from shared.lifecycle.outcome import Again, Enter, Leave, Outcome
from shared.lifecycle.steps.billing import close_interval
from shared.runs.records import Endpoint, moment
from shared.settings import settings

ALARM_LOOKS = 5


def consider_sleep(record: Endpoint) -> Outcome:
    """Falls asleep where nobody used the endpoint for its window; what cannot be read is unknown, not idle."""
    if (astray := _astray(record)) is not None:
        return astray
    window = settings().idle_after if record.idle_after is None else record.idle_after
    if window == 0 or record.deploying:
        return Leave()
    try:
        if not _idle(record, window):
            return _known(record)
    except ServiceError as error:
        return _unknown(record, error)
    record.unknown_looks, record.falling_since = 0, usage.service_now()
    # Instances that read the record before still send for a while: the second look is after that.
    return Enter("falling_asleep", f"unused for {window:.0f} s", delay=FRESH_SECONDS + 1)


def _astray(record: Endpoint) -> Outcome | None:
    """Somebody else, or one of us who was late, changed what should be true: mended, or said."""
    if deployments.is_gone(record.endpoint_name, record.deployment):
        close_interval(record, record.deployment)
        return Enter("asleep", "its deployment was deleted by somebody else")
    if not record.deploying and not rollout.route_all(record.endpoint_name, record.name, record.deployment):
        return Again(settings().poll)
    return None


def _known(record: Endpoint) -> Outcome:
    if not record.unknown_looks:
        return Leave()
    if record.unknown_looks >= ALARM_LOOKS:
        problems.forget("endpoint", record.name)
    record.unknown_looks = 0
    return Again(settings().watch, changed=True)


def _unknown(record: Endpoint, error: ServiceError) -> Outcome:
    record.unknown_looks += 1
    if record.unknown_looks == ALARM_LOOKS:
        told = f"whether anybody uses the endpoint cannot be read, so it stays awake and bills: {error.reason}"
        problems.note("endpoint", record.name, told, error.fix or "see that the metrics can be read")
    return Again(settings().watch, changed=True)


def _idle(record: Endpoint, window: float) -> bool:
    """By the storage's clock: awake since, now, and the marks of use are all reckoned by it."""
    present, began = Container("endpoints").now(), moment(record.awake_since)
    marks = usage.marks(record.name)
    last_use = moment(marks.last_use) if marks.last_use else None
    if not idle.is_idle(max(began, last_use or began), present, window, settings().metrics_lag):
        return False  # our own mark alone says that it is in use: no metric is asked for
    since = present - timedelta(seconds=window + settings().metrics_lag + 60)
    points = usage.requests_by_minute(record.endpoint_name, since, present)
    used = idle.last_used(points, marks.sent, last_use, began)
    return idle.is_idle(used, present, window, settings().metrics_lag)


def fall_asleep(record: Endpoint) -> Outcome:
    """A second look, then the deployment is taken away; the endpoint, which costs nothing, keeps its address and keys."""
    if record.deployment and _wanted(record):
        record.wake_wanted, record.awake_since = False, usage.service_now()
        return Enter("awake", "somebody used it in this moment")
    if not rollout.take_down(record.endpoint_name, record.name, record.deployment, record.run):
        return Again(settings().poll)
    close_interval(record, record.deployment)
    usage.forget(record.name)
    record.asleep_since = usage.service_now()
    return Enter("asleep", "the deployment is gone")


def _wanted(record: Endpoint) -> bool:
    """Whether it was used since it began to fall asleep, and still stands with its traffic."""
    if not record.wake_wanted and not _used_since(record):
        return False
    found = deployments.find_endpoint(record.endpoint_name, record.name)
    made = deployments.find_deployment(record.endpoint_name, record.deployment)
    stands = found is not None and found.traffic.get(record.deployment) == 100
    return stands and made is not None and made.state == "succeeded"


def _used_since(record: Endpoint) -> bool:
    """Whether somebody used it since: the storage tells whole seconds, by which a use may look older than it is."""
    last = usage.marks(record.name).last_use
    if not last or not record.falling_since:
        return False
    return moment(last) + timedelta(seconds=1) >= moment(record.falling_since)
