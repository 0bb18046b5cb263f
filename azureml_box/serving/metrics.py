"""Requests and latencies by minute, as Azure Monitor bins them; kept in the store an hour at a time.

Facts: the supported-metrics table of Microsoft.MachineLearningServices/workspaces/onlineEndpoints. A minute without
requests has no point at all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from azureml_box.store import Store

KIND = "endpointMetrics"
_KEPT = timedelta(days=93)
_MINUTE = "%Y-%m-%dT%H:%M:00Z"


@dataclass(frozen=True)
class Sample:
    """All requests of one minute that one deployment answered with one status."""

    minute: datetime
    deployment: str
    status: str
    requests: int
    milliseconds: float


class EndpointMetrics:
    """Counts in memory; `flush` writes the hours that changed."""

    def __init__(self, store: Store) -> None:
        self._store = store
        # (endpoint, hour) -> minute -> "deployment|status" -> [requests, milliseconds]
        self._hours: dict[tuple[str, str], dict[str, dict[str, list[float]]]] = defaultdict(dict)
        self._changed: set[tuple[str, str]] = set()

    def load(self, now: datetime) -> None:
        """Read what a former process kept, and forget what is too old."""
        oldest = (now - _KEPT).strftime(_MINUTE)
        for doc in self._store.list(KIND):
            if doc["hour"] < oldest[:13]:
                self._store.delete(KIND, f"{doc['endpoint']}|{doc['hour']}")
            else:
                self._hours[doc["endpoint"], doc["hour"]] = doc["minutes"]

    def record(self, endpoint: str, deployment: str, status: int, milliseconds: float, now: datetime) -> None:
        """Count one request."""
        minute = now.strftime(_MINUTE)
        hour = (endpoint, minute[:13])
        cell = self._hours[hour].setdefault(minute, {}).setdefault(f"{deployment}|{status}", [0, 0.0])
        cell[0] += 1
        cell[1] += milliseconds
        self._changed.add(hour)

    def flush(self) -> None:
        """Write the hours that changed since the last flush."""
        changed, self._changed = self._changed, set()
        for endpoint, hour in changed:
            doc: dict[str, Any] = {"endpoint": endpoint, "hour": hour, "minutes": self._hours[endpoint, hour]}
            self._store.put(KIND, f"{endpoint}|{hour}", doc)

    def samples(self, endpoint: str, start: datetime, end: datetime) -> list[Sample]:
        """Everything counted in minutes that begin in [start, end), the minute of `start` included."""
        first, last = start.strftime(_MINUTE), end.astimezone(UTC).isoformat().replace("+00:00", "Z")
        found = []
        for (owner, hour), minutes in sorted(self._hours.items()):
            if owner == endpoint and first[:13] <= hour <= last[:13]:
                inside = ((minute, cells) for minute, cells in sorted(minutes.items()) if first <= minute < last)
                found += [sample for minute, cells in inside for sample in _samples(minute, cells)]
        return found


def _samples(minute: str, cells: dict[str, list[float]]) -> Iterable[Sample]:
    moment = datetime.fromisoformat(minute)
    for key, (requests, milliseconds) in cells.items():
        deployment, _, status = key.partition("|")
        yield Sample(moment, deployment, status, int(requests), milliseconds)


def points(samples: Iterable[Sample], metric: str, start: datetime, interval: timedelta) -> list[dict[str, Any]]:
    """The time series of `RequestsPerMinute` or `RequestLatency`, one point for each interval with requests.

    >>> points([], "RequestsPerMinute", datetime(2026, 1, 1, tzinfo=UTC), timedelta(minutes=1))
    []
    """
    by_minute: dict[datetime, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for sample in samples:
        by_minute[sample.minute][0] += sample.requests
        by_minute[sample.minute][1] += sample.milliseconds
    bins: dict[datetime, list[float]] = defaultdict(list)
    origin = start.replace(second=0, microsecond=0)
    for minute, (requests, milliseconds) in by_minute.items():
        value = requests if metric == "RequestsPerMinute" else milliseconds / requests
        bins[origin + (minute - origin) // interval * interval].append(value)
    return [_point(moment, bins[moment]) for moment in sorted(bins)]


def _point(moment: datetime, values: list[float]) -> dict[str, Any]:
    total, count = sum(values), len(values)
    numbers = {"average": total / count, "total": total, "count": count, "minimum": min(values), "maximum": max(values)}
    return {"timeStamp": moment.strftime(_MINUTE), **numbers}
