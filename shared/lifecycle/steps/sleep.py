"""An endpoint that is awake: is it idle, and does it answer? And one that falls asleep: is its deployment gone?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.azure.blobs import Container
from shared.endpoints import deployments, idle, rollout, usage
from shared.endpoints.target import FRESH_SECONDS
from shared.errors import ServiceError
from shared.lifecycle import ending, patience, problems, telling
from shared.lifecycle.outcome import Again, Enter, Leave, Outcome
from shared.lifecycle.steps.billing import close_interval
from shared.runs.records import Endpoint, Moment, moment, stamp
from shared.settings import settings

ALARM_LOOKS = 5


def consider_sleep(record: Endpoint) -> Outcome:
    """Falls asleep where nobody used the endpoint for its window; what cannot be read is unknown, not idle."""
    if (astray := _astray(record)) is not None:
        return astray
    if ending.is_over(record):
        record.falling_since = usage.service_now()
        return Enter("falling_asleep", ending.OVER, delay=FRESH_SECONDS + 1)
    warned, window = ending.warn(record), patience.waits(record)
    if window == 0 or record.deploying:
        return _stay(warned)
    held = bool(patience.held(record))
    if held and not patience.learns(record):
        return _stay(warned)
    try:
        use = _use(record, window)
    except ServiceError as error:
        return _stay(warned) if held else _unknown(record, error)
    if held:
        return _stay(warned or use.learnt)
    if not idle.is_idle(use.last, use.present, window, settings().metrics_lag):
        return _known(record, _warn(record, use, window) or use.learnt or warned)
    record.unknown_looks, record.falling_since = 0, usage.service_now()
    # Instances that read the record before still send for a while: the second look is after that.
    return Enter("falling_asleep", f"unused for {patience.window(record).seconds:.0f} s", delay=FRESH_SECONDS + 1)


def _astray(record: Endpoint) -> Outcome | None:
    """Somebody else, or one of us who was late, changed what should be true: mended, or said."""
    if deployments.is_gone(record.endpoint_name, record.deployment):
        close_interval(record, record.deployment)
        return Enter("asleep", "its deployment was deleted by somebody else")
    if not record.deploying and not rollout.route_all(record.endpoint_name, record.name, record.deployment):
        return Again(settings().poll)
    return None


def _stay(changed: bool) -> Outcome:
    return Again(settings().watch, changed=True) if changed else Leave()


def _known(record: Endpoint, changed: bool) -> Outcome:
    if record.unknown_looks >= ALARM_LOOKS:
        problems.forget("endpoint", record.name)
    changed, record.unknown_looks = changed or bool(record.unknown_looks), 0
    return _stay(changed)


def _warn(record: Endpoint, use: Use, window: float) -> bool:
    """Tells, once for a time without use, that it falls asleep soon; not where the whole window is no longer than that."""
    end, last = use.last + timedelta(seconds=window + settings().metrics_lag), stamp(use.last)
    if record.warned == last or use.present < _warns_at(use.last, window):
        return False
    record.warned = last
    text = f"unused since {last[:16]}Z: it falls asleep; `droptune endpoints keep {record.name}` keeps it awake"
    record.timeline.append(Moment(record.state, stamp(use.present), text))
    telling.soon(record, "Droptune.EndpointFallsAsleepSoon", stamp(end), text)
    return True


def _warns_at(used: datetime, window: float) -> datetime:
    """When people are warned that it sleeps; where that is not before half of the window, they are not."""
    whole = window + settings().metrics_lag
    before = settings().sleep_warning
    return used + timedelta(seconds=whole - before if before <= whole / 2 else whole)


def _unknown(record: Endpoint, error: ServiceError) -> Outcome:
    record.unknown_looks += 1
    if record.unknown_looks == ALARM_LOOKS:
        told = f"whether anybody uses the endpoint cannot be read, so it stays awake and bills: {error.reason}"
        problems.note("endpoint", record.name, told, error.fix or "see that the metrics can be read")
    return Again(settings().watch, changed=True)


@dataclass(frozen=True)
class Use:
    """The last known use and this moment, both by the storage's clock; whether pauses were learnt."""

    last: datetime
    present: datetime
    learnt: bool = False


def _use(record: Endpoint, window: float) -> Use:
    """By the storage's clock: awake since, now, and the marks of use are all reckoned by it."""
    present, began = Container("endpoints").now(), moment(record.awake_since)
    marks, learns = usage.marks(record.name), patience.learns(record)
    last_use = moment(marks.last_use) if marks.last_use else None
    own = max(began, last_use or began)
    in_use = not idle.is_idle(own, present, window, settings().metrics_lag)
    if in_use and not learns and present < _warns_at(own, window):
        return Use(own, present)  # our own mark alone says that it is in use: no metric is asked for
    since = present - timedelta(seconds=window + settings().metrics_lag + 60)
    if learns:
        since = max(present - usage.KEEP, min(since, patience.last_known(record)))
    try:
        points = usage.requests_by_minute(record.endpoint_name, since, present)
    except ServiceError:
        if in_use:
            return Use(present, present)  # nobody knows better, and nobody is warned
        raise
    learnt = learns and patience.learn(record, [*marks.sent, *(at for at, count in points.items() if count)], present)
    return Use(idle.last_used(points, marks.sent, last_use, began), present, learnt)


def fall_asleep(record: Endpoint) -> Outcome:
    """A second look, then the deployment is taken away; the endpoint, which costs nothing, keeps its address and keys."""
    if record.deployment and not ending.is_over(record) and _wanted(record):
        record.wake_wanted, record.awake_since = False, usage.service_now()
        return Enter("awake", "somebody used it in this moment")
    if not rollout.take_down(record.endpoint_name, record.name, record.deployment, record.run):
        return Again(settings().poll)
    close_interval(record, record.deployment)
    if settings().asleep_keeps == "nothing" and not record.deploying and not ending.gone(record):
        return Again(settings().poll, changed=True)
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
