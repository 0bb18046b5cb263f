"""Who uses an endpoint: our own marks, and Azure Monitor's metric for everybody else.

The metric has points of a minute. What the function app sent itself in a minute is subtracted, so that the exact
moment of our own last use counts, not the end of its minute; requests of our own probes don't count at all.
"""

from __future__ import annotations

import os
import threading
import time
import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import msgspec

from shared.azure import arm
from shared.azure.blobs import Container
from shared.endpoints.deployments import path
from shared.runs.records import moment, stamp

INSTANCE = f"{os.environ.get('WEBSITE_INSTANCE_ID', '')[:12] or 'host'}-{uuid.uuid4().hex[:8]}"
KEEP = timedelta(hours=6)
FLUSH_SECONDS = 1.0


class Marks(msgspec.Struct):
    """One instance's marks of an endpoint: requests sent by minute (`2026-01-31T10:05`), and the last real use."""

    sent: dict[str, int] = {}
    last_use: str = ""


@dataclass
class _Local:
    marks: Marks = field(default_factory=Marks)
    written: float = 0.0
    dirty: bool = False


_LOCK = threading.Lock()
_LOCAL: dict[str, _Local] = defaultdict(_Local)


def note(name: str, *, probe: bool = False) -> None:
    """Notes a request that this instance sends to an endpoint; written at most once a second, and soon after."""
    now = datetime.now(UTC)
    with _LOCK:
        local = _LOCAL[name]
        minute = now.strftime("%Y-%m-%dT%H:%M")
        local.marks.sent[minute] = local.marks.sent.get(minute, 0) + 1
        if not probe:
            local.marks.last_use = stamp(now)
        _forget(local.marks, now)
        if local.dirty:
            return
        local.dirty = True
        wait = max(0.0, local.written + FLUSH_SECONDS - time.monotonic())
    timer = threading.Timer(wait, flush, [name])
    timer.daemon = True
    timer.start()


def flush(name: str) -> None:
    """Writes this instance's marks; a failure is left to the next flush."""
    from shared.errors import ServiceError

    with _LOCK:
        local = _LOCAL[name]
        data, local.dirty, local.written = msgspec.json.encode(local.marks), False, time.monotonic()
    try:
        Container("endpoints").write(f"{name}/use/{INSTANCE}.json", data)
    except ServiceError:
        with _LOCK:
            local.written = 0.0


def _forget(marks: Marks, now: datetime) -> None:
    oldest = (now - KEEP).strftime("%Y-%m-%dT%H:%M")
    for minute in [minute for minute in marks.sent if minute < oldest]:
        del marks.sent[minute]


def marks(name: str) -> Marks:
    """The marks of all instances together."""
    whole, container = Marks({}, ""), Container("endpoints")
    for blob in container.list(f"{name}/use/"):
        one = msgspec.json.decode(container.read(blob.path)[0], type=Marks)
        whole.last_use = max(whole.last_use, one.last_use)
        for minute, count in one.sent.items():
            whole.sent[minute] = whole.sent.get(minute, 0) + count
    return whole


def requests_by_minute(endpoint: str, since: datetime, until: datetime) -> dict[str, float]:
    """Requests that the endpoint answered, by minute, whoever sent them; no entry is no request.

    Raises:
        ServiceError: the metric cannot be read: then use is unknown, which is not idle.
    """
    answer = arm.call(
        "GET",
        path(endpoint) + "/providers/microsoft.insights/metrics",
        version=arm.METRICS_API_VERSION,
        query={
            "metricnames": "RequestsPerMinute",
            "aggregation": "Average",
            "interval": "PT1M",
            "timespan": f"{_second(since)}/{_second(until)}",
        },
    )
    points: dict[str, float] = {}
    for metric in answer.get("value", []):
        for series in metric.get("timeseries", []):
            for point in series.get("data", []):
                minute = moment(point["timeStamp"]).astimezone(UTC).strftime("%Y-%m-%dT%H:%M")
                points[minute] = points.get(minute, 0.0) + float(point.get("average") or 0.0)
    return points


def _second(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
