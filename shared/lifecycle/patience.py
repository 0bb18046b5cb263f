"""How long an endpoint may stay awake unused: what the dropper asked for, within what the operator allows.

Its own pauses are learnt from the minutes in which it was used (our marks, and Azure Monitor's for everybody else).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from shared.azure.blobs import Container
from shared.datasets.config import Config, config_finding
from shared.datasets.findings import Finding
from shared.endpoints import usage
from shared.idle import hours, pauses
from shared.idle import window as windows
from shared.runs.records import Endpoint, Run, moment, stamp
from shared.settings import AUTO, parse_duration, settings

AUTO_MOST = 3 * 3600.0  # a learnt window is never longer, whatever the endpoint's pauses are like
MINUTE = 60.0  # use is seen by the minute: no shorter window can be learnt
NO_PAUSE = 90.0  # two minutes in a row with requests
SEEN_SECONDS = 1800.0  # how far what was looked at may run ahead of the record


def refused(config: Config, data: bytes | None) -> list[Finding]:
    """What the operator does not allow of the hours that a `droptune.toml` asks for."""
    if not config.deploy.awake:
        return []
    wanted, most = hours.parse(config.deploy.awake).seconds_a_week, settings().max_awake
    if wanted <= most:
        return []
    told = f"deploy.awake keeps it awake {wanted / 3600:g} hours a week, and the operator allows {most / 3600:g}"
    return [config_finding(data, "deploy.awake", told, "name fewer hours, or have DROPTUNE_MAX_AWAKE raised")]


def adopt(record: Endpoint, run: Run) -> None:
    """Writes what the run's `[deploy]` asks for into the endpoint's record; its time, if it has an end, begins anew."""
    asked = run.config.get("deploy") or {}
    record.learns, record.idle_after = resolve(asked.get("idle_after"), settings().idle_after)
    record.awake = asked.get("awake") or ""
    record.delete_after = parse_duration(asked["delete_after"]) if asked.get("delete_after") else 0.0
    record.ends = later(usage.service_now(), record.delete_after) if record.delete_after else ""


def resolve(own: str | None, operator: float) -> tuple[bool, float]:
    """Whether the window is learnt, and its bound in seconds: the operator's is a ceiling, and 0 (never) his to allow."""
    learns, ceiling = operator == AUTO, min(operator, AUTO_MOST)
    if not own:
        return learns, ceiling
    if own == "auto":
        return True, ceiling or AUTO_MOST
    seconds = parse_duration(own)
    if ceiling == 0:
        return False, seconds
    return (False, min(seconds, ceiling)) if seconds else (learns, ceiling)


def window(record: Endpoint) -> windows.Choice:
    """How long after its last use it may sleep, the metrics' lag included where it is learnt; 0 is never."""
    learns, most = _policy(record)
    if not learns:
        return windows.Choice(most, "a fixed window" if most else "it never sleeps by itself")
    least = max(MINUTE, settings().metrics_lag + 1)
    return windows.choose(record.pauses, windows.break_even(record.wake_seconds), least, max(most, least))


def waits(record: Endpoint) -> float:
    """The window without the metrics' lag, which is waited for in any case; 0 is never."""
    return window(record).seconds - (settings().metrics_lag if learns(record) else 0.0)


def learns(record: Endpoint) -> bool:
    """Whether the window is learnt from the endpoint's own pauses."""
    return _policy(record)[0]


def _policy(record: Endpoint) -> tuple[bool, float]:
    if record.idle_after is None:
        return resolve(None, settings().idle_after)
    return record.learns, record.idle_after


def held(record: Endpoint) -> str:
    """Until when it stays awake whoever uses it, for its hours or because somebody kept it; empty: it need not."""
    if not record.awake and not record.kept_until:
        return ""
    present = Container("endpoints").now()
    ends = [moment(record.kept_until)] if record.kept_until else []
    if record.awake and (end := hours.parse(record.awake).until(present)):
        ends.append(end)
    return max((stamp(end) for end in ends if end > present), default="")


def begun(record: Endpoint) -> str:
    """When the hours that hold now began, where it has not been woken for them, or put to sleep in them; else empty."""
    if not record.awake or not record.model_id:
        return ""
    since = hours.parse(record.awake).since(Container("endpoints").now())
    began = stamp(since) if since else ""
    return began if began > max(record.asleep_since, record.woken_for) else ""


def sleeps_at(record: Endpoint) -> str:
    """When it falls asleep at the earliest, by our own marks and those that kept it (ISO 8601); empty: not by itself."""
    choice = window(record)
    if record.state != "awake" or not choice.seconds:
        return ""
    lag = 0.0 if learns(record) else settings().metrics_lag
    used = max(usage.marks(record.name).last_use, stamp(last_known(record)))
    return max(later(used, choice.seconds + lag), held(record))


def last_known(record: Endpoint) -> datetime:
    """Since when pauses are counted: the last use that was counted, or it became awake."""
    return max(moment(record.awake_since), moment(record.pauses.seen or record.awake_since))


def learn(record: Endpoint, minutes: Iterable[str], present: datetime) -> bool:
    """Counts the pauses between the minutes in which it was used; True where that is worth a save.

    What is younger than the metrics' lag is left to a later look: another's request may still come to light in it.
    """
    last, before = last_known(record), record.pauses
    until = present - timedelta(seconds=settings().metrics_lag)
    shortest = max(NO_PAUSE, windows.shortest(windows.break_even(record.wake_seconds)))
    for used in sorted(datetime.fromisoformat(minute).replace(tzinfo=UTC) for minute in set(minutes)):
        if last < used <= until:
            record.pauses = pauses.count(record.pauses, (used - last).total_seconds(), shortest)
            last = used
    record.pauses = pauses.Pauses(record.pauses.weights, stamp(last))
    ahead = (last - moment(before.seen)).total_seconds() if before.seen else math.inf
    return record.pauses.weights != before.weights or ahead > SEEN_SECONDS


def woken(record: Endpoint) -> None:
    """Counts the pause that a request to the sleeping endpoint ends."""
    if not learns(record) or not record.pauses.seen:
        return
    present = usage.service_now()
    pause = (moment(present) - moment(record.pauses.seen)).total_seconds()
    counted = pauses.count(record.pauses, pause, windows.shortest(windows.break_even(record.wake_seconds)))
    record.pauses = pauses.Pauses(counted.weights, present)


def later(at: str, seconds: float) -> str:
    """A moment so many seconds after another, as records write it."""
    return stamp(moment(at) + timedelta(seconds=seconds))
