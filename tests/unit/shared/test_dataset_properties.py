"""What holds for the checker whatever the bytes."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any
from unittest.mock import patch

import msgspec
import pytest
from folder_sink import Chunked, judge
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.datasets import reading
from shared.datasets.check import Verdict
from shared.datasets.config import Config, parse
from shared.datasets.counts.distribution import distribution
from shared.datasets.judging import MIN_TRAIN_ROWS
from shared.datasets.paths import bad_name, is_dataset, place
from shared.datasets.rows import excerpt, quotes, stretch
from shared.datasets.rows.blocks import MAX_LINE, Chunks, blocks
from shared.datasets.rows.broken import why
from shared.datasets.rows.fast import Fast
from shared.datasets.rows.patterns import ROLES
from shared.datasets.rulebook import RULES
from shared.datasets.split import SIDES, Fractions

FEW = settings(max_examples=60, deadline=None)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
TEXT = st.text(max_size=12) | st.sampled_from(['say "yes"', "a\\b", "\\\\", "é—漢", "\u2028", "\0", "{}\n{", "'", "😀"])
MESSAGE = st.fixed_dictionaries({"role": st.sampled_from(ROLES) | VALUES, "content": TEXT | VALUES})
ROW = st.fixed_dictionaries(
    {"messages": st.lists(MESSAGE, max_size=4) | VALUES}, optional={"tools": VALUES, "id": VALUES}
)
CALL = st.fixed_dictionaries({"function": st.fixed_dictionaries({"name": TEXT, "arguments": TEXT | VALUES})})
EXTRA = {"name": TEXT, "weight": VALUES, "tool_calls": st.lists(CALL, max_size=2)}
GOOD_MESSAGES = st.lists(
    st.fixed_dictionaries({"role": st.sampled_from(ROLES), "content": TEXT}, optional=EXTRA), max_size=3
).map(lambda more: [{"role": "user", "content": "q"}, *more, {"role": "assistant", "content": f"a{len(more)}"}])
GOOD_ROW = st.fixed_dictionaries(
    {"messages": GOOD_MESSAGES}, optional={"tools": st.lists(st.dictionaries(TEXT, VALUES), max_size=2), "id": VALUES}
)
PLAIN_ROW = st.lists(TEXT, min_size=1, max_size=4).map(
    lambda texts: {
        "messages": [
            m for t in texts for m in ({"role": "user", "content": t}, {"role": "assistant", "content": t + "!"})
        ]
    }
)


def dump(row: Any) -> bytes:
    return json.dumps(row, ensure_ascii=True).encode()


@st.composite
def written(draw: st.DrawFn, rows: st.SearchStrategy[Any]) -> bytes:
    """Rows as some program would have written them: separators, escapes, line ends, keys twice, blank lines."""
    lines = []
    for row in draw(st.lists(rows, min_size=1, max_size=20)):
        separators = draw(st.sampled_from([(",", ":"), (", ", ": "), (" , ", " : ")]))
        line = json.dumps(row, ensure_ascii=draw(st.booleans()), separators=separators)
        line = line.encode("utf-8", "surrogatepass")
        if draw(st.integers(0, 9)) == 0:
            line = line.replace(b'"content"', b'"content":1,"content"', 1)
        lines.append(draw(st.sampled_from([b"", b"", b"", b"\n", b" "])) + line)
    return draw(st.sampled_from([b"\n", b"\n", b"\r\n"])).join(lines) + draw(st.sampled_from([b"", b"\n"]))


def look(data: bytes | Chunked) -> tuple[Verdict, dict[str, bytes]]:
    with tempfile.TemporaryDirectory() as name:
        verdict = judge(data, Path(name))
        return verdict, {path.stem: path.read_bytes() for path in Path(name).iterdir()}


def cut(data: bytes, sizes: list[int]) -> list[bytes]:
    chunks, start = [], 0
    for size in sizes:
        chunks.append(data[start : start + size])
        start += size
    return [*chunks, data[start:]]


@FEW
@given(st.lists(st.binary(max_size=40) | ROW.map(dump), max_size=20))
def test_any_bytes_get_a_verdict_and_never_a_crash(lines: list[bytes]) -> None:
    verdict, files = look(b"\n".join(lines))
    assert verdict.accepted == (not any(finding.severity == "error" for finding in verdict.findings))
    assert bool(files) == verdict.accepted
    assert all(RULES[finding.code].severity == finding.severity for finding in verdict.findings)
    msgspec.json.encode(verdict.as_json())


@given(st.binary(max_size=60))
def test_any_broken_line_is_of_a_kind_that_the_rulebook_has_and_its_place_is_in_it(line: bytes) -> None:
    broken = why(line)
    assert RULES[broken.code].severity == "error"
    assert 0 <= broken.start <= max(len(line), 1)


@FEW
@given(st.binary(max_size=200))
def test_any_bytes_of_a_droptune_toml_get_a_config_or_findings(data: bytes) -> None:
    config, findings = parse(data)
    assert isinstance(config, Config)
    assert all(finding.severity == "error" and finding.fix for finding in findings)


@FEW
@given(written(GOOD_ROW | ROW | PLAIN_ROW), st.lists(st.integers(0, 60), max_size=20), st.integers(1, 300))
def test_the_sizes_of_chunks_and_blocks_do_not_change_the_verdict(data: bytes, sizes: list[int], block: int) -> None:
    whole = look(data)
    assert look(Chunked(cut(data, sizes))) == whole
    with patch.object(reading, "beginning", lambda block, name: None):
        whole = look(data)
        with patch.object(stretch, "blocks", lambda source: blocks(source, block)):
            assert look(data) == whole


class Strict(Fast):
    """Takes nothing: every line is read strictly."""

    def block(self, block: object) -> None:
        return None

    def line(self, line: bytes) -> None:
        return None


@FEW
@given(written(PLAIN_ROW) | written(GOOD_ROW | ROW | PLAIN_ROW), st.integers(30, 400))
def test_the_fast_way_and_the_strict_way_say_the_same(data: bytes, block: int) -> None:
    with (
        patch.object(reading, "beginning", lambda block, name: None),
        patch.object(stretch, "blocks", lambda source: blocks(source, block)),
    ):
        quick = look(data)
        with patch.object(stretch, "Fast", Strict):
            assert look(data) == quick


@FEW
@given(written(PLAIN_ROW))
def test_a_block_of_plain_rows_goes_the_fast_way(data: bytes) -> None:
    plain = b"\n".join(line for line in data.replace(b"\r", b"").split(b"\n") if line.strip()) + b"\n"
    (block,) = blocks(Chunks([plain]))
    twice = b'"content":1' in plain or any(line != line.strip() for line in plain.split(b"\n"))
    assert (Fast().block(block) is None) <= twice


@given(st.binary(max_size=200))
def test_quotes_are_counted_the_same_with_numpy_and_without(data: bytes) -> None:
    text = bytearray(b'{"' + data.replace(b"\n", b"") + b"}\n")
    assert quotes.Wide(1024)(text, len(text)) == quotes.plain(text, len(text))


@given(st.binary(max_size=100), st.lists(st.integers(0, 10), max_size=20), st.integers(1, 30))
def test_blocks_are_the_whole_lines_of_the_file_whatever_the_chunks(data: bytes, sizes: list[int], size: int) -> None:
    found = [(bytes(block.view), block.complete) for block in blocks(Chunks(cut(data, sizes)), size)]
    assert b"".join(piece for piece, _ in found) == data
    assert all(piece.endswith(b"\n") == complete for piece, complete in found)
    assert all(complete for _, complete in found[:-1])


@pytest.mark.parametrize("size", [1000, 1 << 20])
def test_a_line_that_is_too_long_is_told_by_its_length_and_never_held(size: int) -> None:
    long = MAX_LINE + 3 * (1 << 20)
    data = Chunks([b"one\n", *[b"x" * size] * (long // size), b"x" * (long % size), b"\ntwo\nthree"])
    found = [(bytes(block.view), block.too_long) for block in blocks(data)]
    assert b"".join(piece for piece, _ in found) == b"one\ntwo\nthree"
    assert [length for _, length in found if length] == [long]


@FEW
@given(written(GOOD_ROW))
def test_accepted_rows_have_one_shape_and_fill_three_sides(data: bytes) -> None:
    verdict, files = look(data)
    if not verdict.accepted:
        return
    rows = {side: [json.loads(line) for line in lines.splitlines()] for side, lines in files.items()}
    every = [row for side in rows.values() for row in side]
    assert len({frozenset(row) for row in every}) == 1
    assert {len(row["messages"]) > 1 for row in every} == {True}
    assert len(rows["train"]) >= MIN_TRAIN_ROWS
    assert rows["validation"]
    assert rows["test"]
    assert {side: len(found) for side, found in rows.items()} == verdict.counts


@given(st.integers(0, 2**64 - 1), st.floats(0.01, 0.49), st.floats(0.01, 0.49))
def test_a_larger_test_side_keeps_what_it_had(key: int, validation: float, test: float) -> None:
    side = Fractions(validation, test).side(key)
    assert side in SIDES
    if side == "test":
        assert Fractions(validation, 0.49).side(key) == "test"


@FEW
@given(st.sets(st.integers(0, 10_000), min_size=30, max_size=60))
def test_rows_keep_their_side_when_their_order_changes(numbers: set[int]) -> None:
    def sides(order: list[int]) -> dict[str, set[bytes]]:
        rows = [[{"role": "user", "content": str(n)}, {"role": "assistant", "content": "a"}] for n in order]
        _, files = look(b"\n".join(dump({"messages": row}) for row in rows))
        return {side: set(lines.splitlines()) for side, lines in files.items()}

    ordered = sorted(numbers)
    assert sides(ordered) == sides(ordered[::-1])


def test_the_split_is_about_as_big_as_asked() -> None:
    rows = [
        {"messages": [{"role": "user", "content": str(n)}, {"role": "assistant", "content": "a"}]} for n in range(5000)
    ]
    verdict, _ = look(b"\n".join(map(dump, rows)))
    assert 420 < verdict.counts["test"] < 580
    assert 420 < verdict.counts["validation"] < 580


@given(st.recursive(VALUES, lambda inner: st.lists(inner, min_size=1, max_size=3)), st.data())
def test_a_field_is_found_where_it_stands(value: Any, data: st.DataObject) -> None:
    path: list[str | int] = ["x"]
    inner = value
    while isinstance(inner, list) and inner and data.draw(st.booleans()):
        index = data.draw(st.integers(0, len(inner) - 1))
        path.append(index)
        inner = inner[index]
    line = json.dumps({"before": value, "x": value, "after": 1}).encode()
    where = excerpt.locate(line, path)
    assert where is not None
    assert json.loads(line[slice(*where)]) == inner


@given(st.text(max_size=80))
def test_a_bad_name_is_answered_with_a_good_one(name: str) -> None:
    proposal = bad_name(name)
    assert proposal is None or bad_name(proposal) is None


@given(st.text(max_size=40))
def test_every_path_means_something_or_nothing(path: str) -> None:
    found = place(path)
    assert found is None or found.role in ("dataset", "test", "validation", "config")
    assert not is_dataset(path + ".report.json")
    assert not is_dataset(path + ".report.html")


def test_paths_tell_folder_and_part() -> None:
    told = {
        "acme/chats.jsonl": ("acme", "dataset"),
        "acme/2026/chats.JSONL": ("acme", "dataset"),
        "acme/chats.jsonl.gz": ("acme", "dataset"),
        "acme/chats.parquet": ("acme", "dataset"),
        "chats.jsonl": ("chats", "dataset"),
        "chats.v2.jsonl.gz": ("chats.v2", "dataset"),
        "test.jsonl": ("test", "dataset"),
        "acme/test.jsonl": ("acme", "test"),
        "acme/validation.jsonl": ("acme", "validation"),
        "acme/droptune.toml": ("acme", "config"),
    }
    found = {path: place(path) for path in told}
    assert {path: (p.name, p.role) for path, p in found.items() if p} == told
    assert [place(path) for path in ("droptune.toml", "acme/notes.txt", "acme/x.gz", "acme/", "")] == [None] * 5


@given(st.lists(st.integers(0, 2**31), min_size=1, max_size=200), st.sampled_from([1, 4]))
def test_a_distributions_bars_hold_every_row_once(values: list[int], one_in: int) -> None:
    from array import array

    figures = distribution(array("I", values), one_in)
    assert sum(bar["rows"] for bar in figures["histogram"]) == len(values) * one_in
    assert 1 <= len(figures["histogram"]) <= 13
    assert figures["min"] <= figures["median"] <= figures["p95"] <= figures["max"]
