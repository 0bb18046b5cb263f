"""Order and pages of MLflow's searches, as `SearchUtils` of mlflow-skinny 3.17 does them."""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Collection
from typing import Any, TypeVar

from azureml_box.jobs.mlflow import filters
from azureml_box.jobs.mlflow.errors import invalid

DEFAULT_RESULTS, MOST_RESULTS = 1000, 50_000
_CLAUSE = re.compile(r"\s*(.+?)(?:\s+(ASC|DESC))?\s*", re.IGNORECASE | re.DOTALL)
Found = TypeVar("Found")


def ordered(
    found: list[tuple[filters.Values, Found]], by: Any, attributes: Collection[str]
) -> list[tuple[filters.Values, Found]]:
    """Sorted by each clause of `by`, the first one above all; what lacks a value comes last."""
    for text in reversed(list(by or [])):
        match = _CLAUSE.fullmatch(str(text))
        if match is None:
            raise invalid(f"Invalid order_by clause '{text}'.")
        key, down = filters.read_key(match[1], attributes), (match[2] or "").upper() == "DESC"
        there = [one for one in found if not _absent(one[0].get(key))]
        there.sort(key=lambda one: one[0][key], reverse=down)
        found = there + [one for one in found if _absent(one[0].get(key))]
    return found


def _absent(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def page(found: list[Found], sent: dict[str, Any]) -> tuple[list[Found], dict[str, str]]:
    """One page, and the token of the next one where there is one."""
    size, start = _size(sent.get("max_results")), _offset(sent.get("page_token"))
    token = base64.b64encode(json.dumps({"offset": start + size}).encode()).decode()
    return found[start : start + size], {"next_page_token": token} if start + size < len(found) else {}


def _size(asked: Any) -> int:
    try:
        size = DEFAULT_RESULTS if asked is None else int(asked)
    except (TypeError, ValueError):
        size = -1
    if not 0 < size <= MOST_RESULTS:
        limits = f"It must be at least 1 and at most {MOST_RESULTS}"
        raise invalid(f"Invalid value for request parameter max_results. {limits}, but got value {asked}")
    return size


def _offset(token: Any) -> int:
    if not token:
        return 0
    try:
        return int(json.loads(base64.b64decode(str(token)))["offset"])
    except (ValueError, KeyError, TypeError):
        raise invalid("Invalid page token, could not be decoded") from None
