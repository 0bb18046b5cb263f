"""Every snapshot loads with the pipeline's own loader and passes its rules, row for row."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pipeline_oracle
import pytest
from folder_sink import judge
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.datasets.check import SIDES
from shared.datasets.sources import Bytes

TEXT = st.text(max_size=10) | st.sampled_from(["2024-01-01", "true", "\0", "\u2028", "é", "[]", "1e5", "null"])
NUMBER = st.integers(-(2**63), 2**64 - 1) | st.integers(0, 1000).map(lambda n: n / 8)
NAME = TEXT.filter(lambda text: "\0" not in text and text != "[]")
VALUE = st.recursive(
    st.none() | st.booleans() | NUMBER | TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAME, inner, max_size=2),
    max_leaves=4,
)
CALL = st.fixed_dictionaries({"function": st.fixed_dictionaries({"name": TEXT}, optional={"arguments": TEXT | VALUE})})
MESSAGE = st.fixed_dictionaries(
    {"role": st.sampled_from(["system", "user", "assistant", "tool"]), "content": TEXT},
    optional={"name": TEXT, "tool_calls": st.lists(CALL, max_size=2), "weight": VALUE, "refusal": st.none()},
)
MESSAGES = st.lists(MESSAGE, max_size=3).map(
    lambda more: [{"role": "user", "content": "q"}, *more, {"role": "assistant", "content": f"a{len(more)}"}]
)
TOOL = st.fixed_dictionaries({"type": st.just("function"), "function": st.dictionaries(NAME, VALUE, max_size=3)})
ROW = st.fixed_dictionaries(
    {"messages": MESSAGES}, optional={"tools": st.lists(TOOL, min_size=1, max_size=2), "id": VALUE}
)
WITH_TOOLS = st.fixed_dictionaries({"messages": MESSAGES, "tools": st.lists(TOOL, min_size=1, max_size=2)})


def written(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """The rows of a snapshot as plain JSON says them, the first one's marks taken out."""
    found = {}
    for side in SIDES:
        rows = [json.loads(line) for line in (folder / f"{side}.jsonl").read_bytes().split(b"\n")[:-1]]
        for message in rows[0]["messages"]:
            for key in [key for key, value in message.items() if value is None]:
                del message[key]
        if isinstance(rows[0].get("tools"), str):
            rows[0]["tools"] = json.loads(rows[0]["tools"])
        found[side] = rows
    return found


def assert_trains(data: bytes, name: str = "dataset.jsonl") -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        verdict = judge(Bytes(data, name), folder)
        assert verdict.accepted, verdict.findings
        wanted = written(folder)
        assert {side: len(rows) for side, rows in wanted.items()} == verdict.counts
        trained = pipeline_oracle.rows(folder)
        assert {side: rows for side, rows in trained.items() if side != "test"} == {
            side: [row["messages"] for row in rows] for side, rows in wanted.items() if side != "test"
        }
        for side in SIDES:
            assert pipeline_oracle.load(folder / f"{side}.jsonl") == wanted[side]


@settings(max_examples=40, deadline=None, derandomize=True)  # thousands were run by hand: the loader is slow
@given(st.lists(ROW, max_size=12) | st.lists(WITH_TOOLS, max_size=12))
def test_whatever_is_accepted_trains_row_for_row(rows: list[Any]) -> None:
    sure = [
        {"messages": [{"role": "user", "content": f"q{n}"}, {"role": "assistant", "content": "a"}]} for n in range(30)
    ]
    if all("tools" in row for row in rows):
        sure = [{**row, "tools": rows[0]["tools"] if rows else [{"type": "function"}]} for row in sure]
    assert_trains(b"\n".join(json.dumps(row).encode() for row in [*rows, *sure]))


@pytest.mark.parametrize("late", ["name", "tool_calls"])
def test_a_key_that_comes_up_after_many_megabytes_trains(late: str) -> None:
    """The loader fixes its schema by the first 10 MiB: without the mark in the first row it would fail here."""
    plain = [
        {"messages": [{"role": "user", "content": f"q{n}"}, {"role": "assistant", "content": "a" * 30_000}]}
        for n in range(500)
    ]
    value: Any = (
        "ann" if late == "name" else [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]
    )
    odd = {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a", late: value}]}
    assert_trains(b"\n".join(json.dumps(row).encode() for row in [*plain, *[odd] * 3]))


def test_contents_that_all_look_like_dates_stay_texts() -> None:
    rows = [
        {
            "messages": [
                {"role": "user", "content": f"2024-01-{n:02}"},
                {"role": "assistant", "content": f"2023-01-{n:02}"},
            ]
        }
        for n in range(1, 29)
    ]
    assert_trains(b"\n".join(json.dumps(row).encode() for row in rows))


def test_the_rows_at_the_ends_have_the_least_text_before_their_answer() -> None:
    """The pipeline fails where the first or the last row is cut before its answer."""
    long, short = "word " * 9000, "hello"
    texts = [long, *[short] * 40, long]
    rows = [
        {"messages": [{"role": "user", "content": f"{n} {t}"}, {"role": "assistant", "content": "a"}]}
        for n, t in enumerate(texts)
    ]
    with tempfile.TemporaryDirectory() as place:
        judge(b"\n".join(json.dumps(row).encode() for row in rows), Path(place))
        for side in SIDES:
            lines = (Path(place) / f"{side}.jsonl").read_bytes().splitlines()
            assert max(len(lines[0]), len(lines[-1])) < 1000
