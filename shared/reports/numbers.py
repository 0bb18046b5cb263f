"""Numbers as people read them."""

from __future__ import annotations

_STEPS = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def count(value: float | None) -> str:
    """Grouped by thousands, with one decimal where there is a fraction: 1,234.5; a dash for nothing."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"


def short(value: float) -> str:
    """At most four signs: 950, 1.2k, 34M."""
    for size, unit in _STEPS:
        if value >= size:
            return f"{value / size:.1f}".removesuffix(".0") + unit if value < 10 * size else f"{value / size:.0f}{unit}"
    return count(value)


def percent(share: float) -> str:
    """A share in percent; what is there is never told as 0 %, what is missing never as 100 %."""
    if 0 < share < 0.005:
        return "< 1 %"
    return "> 99 %" if 0.995 <= share < 1 else f"{share * 100:.0f} %"


def usd(value: float) -> str:
    """Dollars: $0.42, $31.50, $1,240."""
    return f"${value:,.2f}" if value < 1000 else f"${value:,.0f}"


def hours(value: float) -> str:
    """A time that is given in hours: 40 s, 25 min, 1 h 40 min, 31 h."""
    minutes = round(value * 60)
    if minutes < 1:
        return f"{value * 3600:.0f} s"
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min" if minutes % 60 and minutes < 1440 else f"{round(minutes / 60):,} h"


def spread(low: str, high: str) -> str:
    """Two ends of a range, or nothing where they read alike."""
    return "" if low == high else f"{low} to {high}"


def many(number: float, noun: str) -> str:
    """A number with its noun: 1 row, 1,204 rows."""
    return f"{count(number)} {noun}" + ("" if number == 1 else "s")
