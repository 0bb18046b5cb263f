"""The geometry of the page's charts; the templates only write it down as SVG."""

from __future__ import annotations

from typing import NamedTuple

from shared.reports.contents import Bin, Distribution, Language, Pattern
from shared.reports.numbers import short

WIDTH, HEIGHT = 320.0, 150.0
LEFT, RIGHT, TOP, BASE = 40.0, 312.0, 12.0, 122.0
MOST_BINS, MOST_POINTS, MOST_DRAWN = 60, 160, 1e15


class Bar(NamedTuple):
    """A bar of a histogram, in the drawing's units."""

    x: float
    y: float
    width: float
    height: float
    bin: Bin


class Tick(NamedTuple):
    """A label under the axis."""

    x: float
    label: str
    anchor: str


class Segment(NamedTuple):
    """A piece of a bar of shares: `x` and `width` in percent."""

    name: str
    number: int
    share: float
    x: float


class Curve(NamedTuple):
    """A line through points, with the values at its corners."""

    points: str
    low: float
    high: float
    first: tuple[float, float]
    last: tuple[float, float]


def bars(histogram: list[Bin]) -> list[Bar]:
    """Bars of equal width over the plot, the highest as high as it is; a bar for few rows is still seen."""
    shown = histogram[:MOST_BINS]
    top = max((entry.rows for entry in shown), default=0) or 1
    step = (RIGHT - LEFT) / max(1, len(shown))
    heights = [max(1.5, (BASE - TOP) * entry.rows / top) if entry.rows else 0.0 for entry in shown]
    gap = min(2.0, step / 4)
    return [
        Bar(LEFT + index * step + gap / 2, BASE - height, step - gap, height, entry)
        for index, (entry, height) in enumerate(zip(shown, heights, strict=True))
    ]


def ticks(histogram: list[Bin]) -> list[Tick]:
    """Labels under the first, the middle and the last bar; a last one that holds a long tail says from where."""
    drawn = bars(histogram)
    if not drawn:
        return []
    first, last, middle = drawn[0], drawn[-1], drawn[len(drawn) // 2]
    tail = last.bin.high - last.bin.low > 2 * (first.bin.high - first.bin.low) + 1
    end = f"{short(last.bin.low)}–{short(last.bin.high)}" if tail else short(last.bin.high)
    found = [Tick(LEFT, short(first.bin.low), "start"), Tick(RIGHT, end, "end")]
    return [*found, Tick(middle.x, short(middle.bin.low), "middle")] if len(drawn) > 3 else found


def place(value: float, histogram: list[Bin]) -> float | None:
    """Where a value stands on the axis; None where no bar holds it."""
    for bar in bars(histogram):
        if bar.bin.low <= value < bar.bin.high + 1:
            return bar.x + bar.width * (value - bar.bin.low) / (bar.bin.high + 1 - bar.bin.low)
    return None


def marks(distribution: Distribution) -> list[tuple[str, float]]:
    """The median and the 95th percentile as places on the axis."""
    named = (("median", distribution.median), ("p95", distribution.p95))
    found = ((name, place(value, distribution.histogram)) for name, value in named)
    return [(name, x) for name, x in found if x is not None]


def shares(counts: dict[str, int], most: int = 12) -> list[Segment]:
    """Each count with its share of all, and where it begins in a bar of 100; the rest beyond `most` as one."""
    kept = dict(list(counts.items())[:most])
    if len(counts) > most:
        kept["others"] = sum(list(counts.values())[most:])
    whole, begun, found = sum(kept.values()) or 1, 0.0, []
    for name, number in kept.items():
        found.append(Segment(name, number, number / whole, 100 * begun / whole))
        begun += number
    return found


def patterns(found: list[Pattern], rows: int, most: int = 8) -> list[Segment]:
    """The orders of roles, each with its share of the rows; the rest of the rows as one."""
    kept = {
        " → ".join(pattern.roles[:12]) + (" → …" if len(pattern.roles) > 12 else ""): pattern.rows
        for pattern in found[:most]
    }
    rest = rows - sum(kept.values())
    return shares({**kept, "other orders": rest} if rest > 0 else kept, most + 1)


def scripts(found: list[Language], most: int = 8) -> list[Segment]:
    """The scripts with their shares; how many letters that is, nobody counted."""
    return [Segment(language.script, 0, language.share, 0) for language in found[:most]]


def curve(points: list[tuple[float, float]]) -> Curve | None:
    """A loss over its steps, thinned to what a drawing can show; None for less than two points."""
    real = sorted(point for point in points if all(abs(value) < MOST_DRAWN for value in point))
    if len(real) < 2:
        return None
    thin = real[:: -(-len(real) // MOST_POINTS)]
    kept = thin if thin[-1] == real[-1] else [*thin, real[-1]]
    low, high = min(y for _, y in kept), max(y for _, y in kept)
    begin, end = kept[0][0], kept[-1][0]
    across, up = (RIGHT - LEFT) / ((end - begin) or 1), (BASE - TOP) / ((high - low) or 1)
    drawn = " ".join(f"{LEFT + (x - begin) * across:.1f},{BASE - (y - low) * up:.1f}" for x, y in kept)
    return Curve(drawn, low, high, kept[0], kept[-1])


def curves(named: dict[str, list[tuple[float, float]]], most: int = 8) -> list[tuple[str, Curve]]:
    """The metrics that have a line to draw."""
    found = [(name, drawn) for name, points in named.items() if (drawn := curve(points))]
    return found[:most]
