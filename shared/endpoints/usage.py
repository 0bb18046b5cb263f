"""Who uses an endpoint: our own marks, and Azure Monitor's metric for everybody else.

The metric has points of a minute. What the function app sent itself in a minute is subtracted, so that the exact
moment of our own last use counts, not the end of its minute; requests of our own probes don't count at all.
"""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec

from shared import clock
from shared.azure.blobs import Container
from shared.azure.outside import outside
from shared.runs.records import moment, stamp

KEEP = timedelta(hours=6)
FLUSH_SECONDS = 1.0
MINUTE = "%Y-%m-%dT%H:%M"


class Marks(msgspec.Struct):
    """One instance's marks of an endpoint: requests sent by minute (`2026-01-31T10:05`), and the last real use.

    `repeated` counts by minute the answers of a canary that failed and were given by the stable deployment.
    `written` is when the instance wrote them, by the same clock: what storage says of that moment tells how wrong that
    clock is.
    """

    sent: dict[str, int] = {}
    last_use: str = ""
    written: str = ""
    repeated: dict[str, int] = {}


@dataclass
class _Local:
    """`used`: the last real use, which gets into the marks where they are written."""

    marks: Marks = field(default_factory=Marks)
    used: datetime | None = None
    minute: tuple[int, str] = (0, "")
    written: float = 0.0
    dirty: bool = False


_LOCK = threading.Lock()


def _local(name: str) -> _Local:
    known: dict[str, _Local] = outside().memory.setdefault("use", {})
    return known.setdefault(name, _Local())


def instance() -> str:
    """The name of this process, under which its marks lie."""
    return str(outside().memory.setdefault("instance", _new_instance()))


def _new_instance() -> str:
    return f"{os.environ.get('WEBSITE_INSTANCE_ID', '')[:12] or 'host'}-{uuid.uuid4().hex[:8]}"


def note(name: str, *, probe: bool = False, count: int = 1) -> int:
    """Notes a request that this instance sends to an endpoint; written at most once a second, and soon after.

    Returns the minute that it is noted in, counted since 1970.
    """
    now = clock.now()
    with _LOCK:
        local = _local(name)
        number = int(now.timestamp()) // 60
        if local.minute[0] != number:
            local.minute = (number, now.strftime(MINUTE))
            _forget(local.marks, now)
        minute = local.minute[1]
        local.marks.sent[minute] = local.marks.sent.get(minute, 0) + count
        if not probe:
            local.used = now
        if local.dirty:
            return number
        local.dirty = True
        wait = max(0.0, local.written + FLUSH_SECONDS - clock.monotonic())
    clock.later(wait, flush, name)
    return number


@contextmanager
def sending(name: str, *, probe: bool = False) -> Iterator[None]:
    """Notes a request that is sent within; the service may count one that ends in another minute in that."""
    began = note(name, probe=probe)
    try:
        yield
    finally:
        if int(clock.now().timestamp()) // 60 != began:
            note(name, probe=True)


def note_repeated(name: str) -> None:
    """Notes an answer that failed and was given by the stable deployment; it is written with the request's own mark."""
    with _LOCK:
        repeated = _local(name).marks.repeated
        minute = clock.now().strftime(MINUTE)
        repeated[minute] = repeated.get(minute, 0) + 1
    note(name, count=0)


def flush(name: str) -> None:
    """Writes this instance's marks; a failure is left to the next flush."""
    from shared.errors import ServiceError

    with _LOCK:
        local = _local(name)
        local.marks.written = stamp(clock.now())
        if local.used is not None:
            local.marks.last_use = stamp(local.used)
        data, local.dirty, local.written = msgspec.json.encode(local.marks), False, clock.monotonic()
    try:
        Container("endpoints").write(f"{name}/use/{instance()}.json", data)
    except ServiceError:
        with _LOCK:
            local.written = 0.0


def _forget(marks: Marks, now: datetime) -> None:
    oldest = (now - KEEP).strftime(MINUTE)
    for counts in (marks.sent, marks.repeated):
        for minute in [minute for minute in counts if minute < oldest]:
            del counts[minute]


def marks(name: str) -> Marks:
    """The marks of all instances together, in the time of the storage service."""
    whole, container = Marks({}, "", repeated={}), Container("endpoints")
    for blob in container.list(f"{name}/use/"):
        one = msgspec.json.decode(container.read(blob.path)[0], type=Marks)
        wrong = blob.modified - moment(one.written) if one.written else timedelta()
        if one.last_use:
            whole.last_use = max(whole.last_use, stamp(moment(one.last_use) + wrong))
        for mine, all_ in ((one.sent, whole.sent), (one.repeated, whole.repeated)):
            for minute, count in mine.items():
                there = (datetime.fromisoformat(minute) + wrong + timedelta(seconds=30)).strftime(MINUTE)
                all_[there] = all_.get(there, 0) + count
    return whole


def service_now() -> str:
    """This moment by the storage's clock, as records write it: ages are never reckoned from two machines' clocks."""
    return stamp(Container("endpoints").now())


def forget(name: str) -> None:
    """Deletes the marks of an endpoint that sleeps: each process that ever sent to it left one."""
    container = Container("endpoints")
    for blob in container.list(f"{name}/use/"):
        container.delete(blob.path, if_match=blob.etag)


def requests_by_minute(endpoint: str, since: datetime, until: datetime) -> dict[str, float]:
    """Requests that the endpoint answered, by minute, whoever sent them; no entry is no request.

    Raises:
        ServiceError: the metric cannot be read: then use is unknown, which is not idle.
    """
    return outside().online.requests(endpoint, since, until)
