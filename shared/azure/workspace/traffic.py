"""What Azure Monitor counted at an endpoint: requests by minute, and by deployment how they ended."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from statistics import fmean
from typing import Any

from shared.azure import arm
from shared.azure.seen import Served


def by_minute(endpoint: str, since: datetime, until: datetime) -> dict[str, float]:
    """Requests by minute at the endpoint of an ARM path; no entry is no request."""
    points: dict[str, float] = defaultdict(float)
    for series in _metric(endpoint, "RequestsPerMinute", since, until):
        for point in series.get("data", []):
            points[_minute(point["timeStamp"])] += float(point.get("average") or 0.0)
    return dict(points)


def by_deployment(endpoint: str, since: datetime, until: datetime) -> dict[str, Served]:
    """What each deployment served, how much of it failed, and the mean of its minutes' latencies.

    A failure is what the model or its container did (408, 424, 5xx): 429 tells of load, other 4xx of the caller.
    """
    asked: dict[str, float] = defaultdict(float)
    failed: dict[str, float] = defaultdict(float)
    spent: dict[str, list[float]] = defaultdict(list)
    for series in _metric(endpoint, "RequestsPerMinute", since, until, "deployment eq '*' and statusCode eq '*'"):
        named, count = _dimensions(series), sum(_averages(series))
        asked[named.get("deployment", "")] += count
        failed[named.get("deployment", "")] += count if _is_failure(named.get("statuscode", "")) else 0.0
    for series in _metric(endpoint, "RequestLatency", since, until, "deployment eq '*'"):
        spent[_dimensions(series).get("deployment", "")] += _averages(series)
    return {name: Served(asked[name], failed[name], fmean(spent[name] or [0.0])) for name in asked if name}


def _metric(endpoint: str, name: str, since: datetime, until: datetime, split: str = "") -> list[dict[str, Any]]:
    """A metric's time series by the minute, one for each value of the dimensions in `split`.

    `RequestsPerMinute` aggregates as Average at PT1M, never Total (AZUREML_CONTRACT section 4).
    """
    query = {
        "metricnames": name,
        "aggregation": "Average",
        "interval": "PT1M",
        "timespan": f"{_second(since)}/{_second(until)}",
        **({"$filter": split} if split else {}),
    }
    place = f"{endpoint}/providers/microsoft.insights/metrics"
    answer = arm.call("GET", place, version=arm.METRICS_API_VERSION, query=query)
    return [series for metric in answer.get("value", []) for series in metric.get("timeseries", [])]


def _averages(series: dict[str, Any]) -> list[float]:
    return [float(point.get("average") or 0.0) for point in series.get("data", [])]


def _dimensions(series: dict[str, Any]) -> dict[str, str]:
    named = series.get("metadatavalues") or []
    return {str(entry["name"]["value"]).lower(): str(entry.get("value") or "") for entry in named}


def _is_failure(status: str) -> bool:
    return status in ("408", "424") or status.startswith("5")


def _minute(text: str) -> str:
    return datetime.fromisoformat(text).astimezone(UTC).strftime("%Y-%m-%dT%H:%M")


def _second(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
