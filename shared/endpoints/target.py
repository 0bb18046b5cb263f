"""Where a dataset's model answers: read from the endpoint's record, kept for a few seconds."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass

from shared import clock
from shared.azure.outside import outside, remembered
from shared.datasets.paths import bad_name
from shared.endpoints.line import Line
from shared.endpoints.refusals import ScoringError
from shared.errors import ConflictError, ServiceError
from shared.runs import store, work
from shared.runs.identity import TAG_RUN, slug
from shared.runs.records import Endpoint, moment

FRESH_SECONDS = 3.0
KEY_SECONDS = 300.0
CAPACITY_SECONDS = 300.0
STANDING_SECONDS = 3.0
WAKE_GUESS_SECONDS = 900.0
OVERDUE_SHARE = 0.25
WAKE_AGAIN_SECONDS = 1.0


@dataclass
class Target:
    """What scoring needs to know of an endpoint; `key` is asked for only where it is awake."""

    record: Endpoint
    key: str
    read_at: float


def _targets() -> dict[str, Target]:
    known: dict[str, Target] = outside().memory.setdefault("targets", {})
    return known


async def find(name: str, *, fresh: bool = False, recent: float = 0.0) -> Target | None:
    """The endpoint of a name, or None where there has never been one; whoever asks at the same time, it is read once.

    One that is awake is known for `FRESH_SECONDS`, another for `recent`.
    """
    if not fresh and (known := _known(name, recent)) is not None:
        return known
    if not is_name(name):
        return None
    locks: dict[str, asyncio.Lock] = outside().memory.setdefault("target locks", {})
    asked_at = clock.monotonic()
    async with locks.setdefault(name, asyncio.Lock()):
        known = _targets().get(name)
        if known is not None and known.read_at > asked_at:
            return known  # read by another while this one waited for the lock
        return await asyncio.to_thread(_read, name)


def _known(name: str, recent: float) -> Target | None:
    known = _targets().get(name)
    if known is None:
        return None
    age = clock.monotonic() - known.read_at
    return known if age < (FRESH_SECONDS if known.record.state == "awake" else recent) else None


def _read(name: str) -> Target | None:
    began = clock.monotonic()
    loaded = store.find("endpoint", name)
    if loaded is None and store.is_listed("endpoint", name):
        # a client that reads 404 goes away for good: a single one of the storage's is not believed
        loaded = store.load("endpoint", name)
    if loaded is None:
        return None
    record: Endpoint = loaded.record
    key = _key(record.endpoint_name) if record.state == "awake" else ""
    found = Target(record, key, began)
    _targets()[name] = found
    return found


def _key(endpoint: str) -> str:
    return str(remembered(f"key {endpoint}", KEY_SECONDS, lambda: outside().online.key(endpoint)))


def forget_key(name: str) -> None:
    """Drops what is known of a name: its endpoint refused the key, or its deployment is gone."""
    known = _targets().pop(name, None)
    if known:
        outside().memory.pop(f"key {known.record.endpoint_name}", None)


def standing(record: Endpoint, run: str) -> str:
    """The deployment of a run that stands at the endpoint, whatever traffic it has.

    Raises:
        ScoringError: 404 no such run, or it has no deployment; 503 it is on its way.
        ServiceError: the endpoint cannot be read.
    """
    place, full = record.endpoint_name, run_of(record.name, run)
    made = remembered(f"standing {place}", STANDING_SECONDS, lambda: outside().online.deployments(place))
    ours = [one for one in made if one.tags.get(TAG_RUN) == full]
    ready = [one.name for one in ours if one.state in ("succeeded", "updating")]
    if ready:
        return str(ready[-1])
    model = f"{record.name}@{run}"
    if record.deploying == full or any(one.state == "creating" for one in ours):
        told = f"the deployment of {model!r} is being made"
        raise ScoringError(503, "model_deploying", told, field="model", headers={"Retry-After": "30"})
    known = store.find("run", full)
    if known is None or known.record.name != record.name:
        raise ScoringError(404, "model_not_found", f"there is no model {model!r}: no such run", field="model")
    told = f"the run {full} is {known.record.state} and has no deployment that could answer: ask {record.name!r}"
    raise ScoringError(404, "model_version_not_deployed", told, field="model")


def is_name(name: str) -> bool:
    """Whether a model can have this name at all: what cannot is never looked for in the storage."""
    return bad_name(name) is None


def run_of(name: str, run: str) -> str:
    """The id of a run that is written in full, or by its last part alone.

    >>> run_of("acme", "0123456789"), run_of("acme", "acme-0123456789")
    ('acme-0123456789', 'acme-0123456789')
    """
    return run if "-" in run else f"{slug(name, 20)}-{run}"


async def line_before(endpoint: str, deployment: str) -> Line:
    """The line before a deployment; what it can take is asked only where more come at once than any can take."""
    lines: dict[str, Line] = outside().memory.setdefault("lines", {})
    place = f"{endpoint}/{deployment}"
    if (found := lines.get(place)) is None:
        found = lines[place] = Line()
    if found.full and clock.monotonic() - found.asked_at > CAPACITY_SECONDS:
        found.asked_at = clock.monotonic()
        found.widen(await asyncio.to_thread(_slots, endpoint, deployment, found.slots))
    return found


def _slots(endpoint: str, deployment: str, known: int) -> int:
    """Azure takes twice as many as it answers at once; the second half waits there, so that no instance is ever idle."""
    try:
        found = outside().online.deployment(endpoint, deployment)
    except ServiceError:
        return known
    return 2 * found.at_once if found else known


async def wake_once(name: str) -> None:
    """Asks for an endpoint to wake, once for all who want it of this process in the same second."""
    marks: dict[str, float] = outside().memory.setdefault("woken", {})
    if clock.monotonic() - marks.get(name, -math.inf) > WAKE_AGAIN_SECONDS:
        marks[name] = clock.monotonic()
        try:
            await asyncio.to_thread(ask_to_wake, name)
        except BaseException:
            del marks[name]
            raise


def ask_to_wake(name: str) -> None:
    """Notes in the endpoint's record that somebody wants it, once, whoever asks at the same time."""
    loaded = store.load("endpoint", name)
    record: Endpoint = loaded.record
    if record.wake_wanted or record.state in ("awake", "waking", "absent"):
        return
    record.wake_wanted = True
    record.wait()
    try:
        store.save(loaded)
    except ConflictError:
        return  # somebody else changed the record in this moment: the caller comes back and asks again
    work.follow(record)


def wake_seconds(record: Endpoint) -> int:
    """How long a caller should wait for an endpoint that does not answer yet, from what waking took before.

    One that is waking has a part of that behind it; where it takes longer than before, a share of what it took so far.
    """
    whole = record.wake_seconds or WAKE_GUESS_SECONDS
    if record.state != "waking" or not record.waking_since:
        return max(1, round(whole))
    gone = max(0.0, (clock.now() - moment(record.waking_since)).total_seconds())
    return max(1, round(max(whole - gone, OVERDUE_SHARE * gone)))
