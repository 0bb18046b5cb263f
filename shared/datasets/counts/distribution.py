"""A column of numbers as a distribution: smallest, median, 95th of a hundred, largest, mean, and twelve bars."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any, cast

BARS = 12
MANY = 20_000


def distribution(values: array[int], one_in: int = 1) -> dict[str, Any]:
    """The figures of a column; where only one row in `one_in` was kept, the bars are scaled up.

    >>> distribution(array("I", [1, 2, 2, 9]))["median"]
    2
    """
    if not values:
        return {"min": 0, "median": 0, "p95": 0, "max": 0, "mean": 0.0, "histogram": []}
    ordered = _ordered(values)
    size = len(ordered)
    low, high, p95 = int(ordered[0]), int(ordered[-1]), int(ordered[min(size - 1, int(size * 0.95))])
    return {
        "min": low,
        "median": int(ordered[size // 2]),
        "p95": p95,
        "max": high,
        "mean": round(sum(values) / size, 1),
        "histogram": _bars(ordered, low, min(high, max(3 * p95, low + BARS)), high, one_in),
    }


def scaled(figures: dict[str, Any], by: float) -> dict[str, Any]:
    """A distribution in another unit, so many to one of the old."""
    plain = {key: round(value * by) for key, value in figures.items() if key != "histogram"}
    bars = [{"from": round(b["from"] * by), "to": round(b["to"] * by), "rows": b["rows"]} for b in figures["histogram"]]
    return {**plain, "histogram": bars}


def _ordered(values: array[int]) -> Sequence[int]:
    if len(values) < MANY:
        return sorted(values)
    import numpy as np

    ordered: Any = np.sort(np.frombuffer(values, np.dtype(values.typecode)))
    return cast(Sequence[int], ordered)


def _bars(ordered: Sequence[int], low: int, top: int, high: int, one_in: int) -> list[dict[str, int]]:
    """Bars of equal width up to `top`; the last one holds the few rows beyond as well."""
    from bisect import bisect_right

    width = max(1, -(-(top - low + 1) // BARS))
    count = (top - low) // width + 1
    bars, before = [], 0
    for index in range(count):
        last = index == count - 1
        end = high if last else low + (index + 1) * width - 1
        upto = len(ordered) if last else bisect_right(ordered, end)
        bars.append({"from": low + index * width, "to": end, "rows": (upto - before) * one_in})
        before = upto
    return bars
