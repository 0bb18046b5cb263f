"""Azure Monitor's metrics of an online endpoint: GET {endpoint}/providers/Microsoft.Insights/metrics."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from azureml_box.errors import BadRequest
from azureml_box.http import json
from azureml_box.serving import endpoints
from azureml_box.serving.launch import seconds
from azureml_box.serving.metrics import Sample, points

if TYPE_CHECKING:
    from azureml_box.context import Box

_UNITS = {"RequestsPerMinute": "Count", "RequestLatency": "MilliSeconds"}
_AGGREGATIONS = ("average", "total", "count", "minimum", "maximum")
_NAMESPACE = "Microsoft.MachineLearningServices/workspaces/onlineEndpoints"
_FILTER = re.compile(r"^\s*(deployment|statusCode)\s+eq\s+'([^']*)'\s*$", re.IGNORECASE)
_AND = re.compile(r"\s+and\s+", re.IGNORECASE)


def routes(box: Box) -> list[Route]:
    """The one route; the path's case is the middleware's affair."""

    async def get(request: Request) -> Response:
        """Azure Monitor's metrics of an endpoint, by the minute; no points for one that nobody used."""
        return _answer(box, request)

    path = f"{box.config.workspace_scope}/onlineEndpoints/{{endpoint}}/providers/{{insights}}/metrics"
    return [Route(path, get, methods=["GET"])]


def _answer(box: Box, request: Request) -> Response:
    name = request.path_params["endpoint"]
    doc = endpoints.find(box, name)
    query = request.query_params
    start, end = _timespan(query.get("timespan"))
    interval = seconds(query.get("interval") or "PT1M", 0)
    if interval < 60 or interval % 60:
        raise BadRequest(f"interval must be whole minutes such as PT1M, not {query.get('interval')!r}.")
    wanted = _listed(query.get("aggregation") or "Average", _AGGREGATIONS, "aggregation")
    samples = box.serving.metrics.samples(name, start, end)
    value = []
    for metric in _listed(query.get("metricnames") or "RequestsPerMinute", tuple(_UNITS), "metricnames"):
        series = [
            {"metadatavalues": labels, "data": _only(points(part, metric, start, timedelta(seconds=interval)), wanted)}
            for labels, part in _split(samples, query.get("$filter"))
        ]
        value.append(_metric(doc["id"], metric, series))
    window = f"{start.isoformat()}/{end.isoformat()}".replace("+00:00", "Z")
    facts = {"cost": 0, "timespan": window, "interval": query.get("interval") or "PT1M"}
    return json({**facts, "value": value, "namespace": _NAMESPACE, "resourceregion": box.config.location})


def _metric(resource: str, metric: str, series: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": f"{resource}/providers/Microsoft.Insights/metrics/{metric}",
        "type": "Microsoft.Insights/metrics",
        "name": {"value": metric, "localizedValue": metric},
        "unit": _UNITS[metric],
        "timeseries": series,
        "errorCode": "Success",
    }


def _listed(text: str, known: tuple[str, ...], what: str) -> list[str]:
    spelled = {name.lower(): name for name in known}
    asked = [name.strip() for name in text.split(",") if name.strip()]
    for name in asked:
        if name.lower() not in spelled:
            raise BadRequest(f"{what}={name} is not known here. Valid: {', '.join(known)}.")
    return [spelled[name.lower()] for name in asked]


def _timespan(text: str | None) -> tuple[datetime, datetime]:
    """`start/end`; without one, the last hour, as Azure Monitor does."""
    if not text:
        now = datetime.now(UTC)
        return now - timedelta(hours=1), now
    try:
        # A plus sign in a query that nobody quoted arrives as a blank.
        start, end = (_moment(part.replace(" ", "+")) for part in text.split("/"))
    except ValueError:
        raise BadRequest(f"timespan must be START/END in ISO 8601, not {text!r}.") from None
    if start >= end:
        raise BadRequest(f"timespan {text!r}: the start must lie before the end.")
    return start, end


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _only(data: list[dict[str, Any]], wanted: list[str]) -> list[dict[str, Any]]:
    return [{key: point[key] for key in ("timeStamp", *wanted)} for point in data]


def _split(samples: list[Sample], text: str | None) -> list[tuple[list[dict[str, Any]], list[Sample]]]:
    """One time series, or with `deployment eq '*' and statusCode eq '*'` one for each pair of values."""
    found: list[tuple[list[dict[str, Any]], list[Sample]]] = [([], samples)]
    for part in _AND.split(text) if text else []:
        match = _FILTER.match(part)
        if match is None:
            raise BadRequest(f"$filter={part} is not understood here; deployment eq 'NAME' or '*' is, and statusCode.")
        found = [one for labels, inside in found for one in _by(match[1], match[2], labels, inside)]
    return found


def _by(
    dimension: str, wanted: str, labels: list[dict[str, Any]], samples: list[Sample]
) -> list[tuple[list[dict[str, Any]], list[Sample]]]:
    name = dimension.lower()
    field = "deployment" if name == "deployment" else "status"
    values = sorted({getattr(sample, field) for sample in samples}) if wanted == "*" else [wanted]
    return [
        (
            [*labels, {"name": {"value": name, "localizedValue": name}, "value": value}],
            [sample for sample in samples if getattr(sample, field) == value],
        )
        for value in values
    ]
