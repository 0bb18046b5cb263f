"""The report's numbers, tables and charts."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.reports import charts, numbers
from shared.reports.contents import Bin, Distribution, Pattern, Profile
from shared.reports.tables import table
from shared.reports.verdict import when


def test_bars_fill_the_plot() -> None:
    drawn = charts.bars([Bin(0, 1, 4), Bin(2, 3, 0), Bin(4, 5, 1)])
    assert [round(bar.height) for bar in drawn] == [110, 0, 28]
    assert drawn[-1].x + drawn[-1].width == pytest.approx(charts.RIGHT - 1)
    assert charts.bars([]) == []


def test_a_bar_for_one_row_in_a_million_is_still_seen() -> None:
    assert charts.bars([Bin(0, 1, 1_000_000), Bin(2, 3, 1)])[1].height == 1.5


def test_the_median_stands_in_its_bar() -> None:
    histogram = [Bin(0, 9, 5), Bin(10, 19, 5)]
    x = charts.place(10, histogram)
    assert x is not None
    assert charts.bars(histogram)[1].x == x
    assert charts.place(99, histogram) is None


def test_a_last_bar_with_a_long_tail_says_from_where() -> None:
    assert [tick.label for tick in charts.ticks([Bin(0, 9, 5), Bin(10, 19, 5), Bin(20, 900, 1)])] == ["0", "20–900"]


def test_shares_beyond_the_twelfth_are_told_as_one() -> None:
    segments = charts.shares({str(number): 1 for number in range(20)})
    assert (len(segments), segments[-1].name, segments[-1].number) == (13, "others", 8)
    assert sum(segment.share for segment in segments) == pytest.approx(1)


def test_rows_of_other_orders_of_roles_are_counted_together() -> None:
    assert [(entry.name, entry.number) for entry in charts.patterns([Pattern(["user", "assistant"], 7)], 10)] == [
        ("user → assistant", 7),
        ("other orders", 3),
    ]


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(), st.floats()), max_size=500))
def test_a_curve_is_drawn_inside_its_plot(points: list[tuple[float, float]]) -> None:
    drawn = charts.curve(points)
    if drawn is None:
        return
    places = [tuple(map(float, place.split(","))) for place in drawn.points.split()]
    assert 2 <= len(places) <= charts.MOST_POINTS + 1
    assert all(charts.LEFT <= x <= charts.RIGHT and charts.TOP <= y <= charts.BASE for x, y in places)


@pytest.mark.parametrize(
    ("told", "text"),
    [
        (numbers.count(1234), "1,234"),
        (numbers.count(2.5), "2.5"),
        (numbers.count(None), "–"),
        (numbers.short(950), "950"),
        (numbers.short(1200), "1.2k"),
        (numbers.short(34_000_000), "34M"),
        (numbers.percent(0.001), "< 1 %"),
        (numbers.percent(0.999), "> 99 %"),
        (numbers.percent(1), "100 %"),
        (numbers.usd(4.125), "$4.12"),
        (numbers.usd(1240.4), "$1,240"),
        (numbers.hours(0.01), "1 min"),
        (numbers.hours(0.002), "7 s"),
        (numbers.hours(1.667), "1 h 40 min"),
        (numbers.hours(31.2), "31 h"),
        (numbers.many(1, "row"), "1 row"),
        (when("2026-11-25T01:02:03.456Z"), "2026-11-25 01:02:03"),
        (when("soon"), "soon"),
    ],
)
def test_numbers_read_well(told: str, text: str) -> None:
    assert told == text


def test_the_table_has_a_line_for_each_distribution_that_is_known() -> None:
    profile = Profile(turns=Distribution(min=2, median=2, p95=6, max=8, mean=2.44), tokens_a_row=Distribution(max=9))
    assert table(profile) == {
        "columns": ["least", "median", "mean", "95 %", "most"],
        "rows": [
            {"name": "turns", "values": [2.0, 2.0, 2.4, 6.0, 8.0]},
            {"name": "tokens", "values": [0, 0, None, 0, 9]},
        ],
    }
    assert table(Profile()) == {"columns": [], "rows": []}


def test_importing_the_reports_loads_neither_pandas_nor_jinja() -> None:
    code = "import sys, shared.reports; print([m for m in ('pandas', 'numpy', 'jinja2') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
