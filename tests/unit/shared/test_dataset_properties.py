"""What holds for the checker whatever the bytes."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.datasets import reader, rules, split
from shared.datasets.check import MIN_TRAIN_ROWS, Verdict, check
from shared.datasets.config import Config, parse
from shared.datasets.paths import bad_name, is_dataset, place
from shared.datasets.profile import Profile

FEW = settings(max_examples=60, deadline=None)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
MESSAGE = st.fixed_dictionaries({"role": st.sampled_from(rules.ROLES) | VALUES, "content": st.text() | VALUES})
ROW = st.fixed_dictionaries(
    {"messages": st.lists(MESSAGE, max_size=4) | VALUES}, optional={"tools": VALUES, "id": VALUES}
)
GOOD_MESSAGES = st.tuples(st.text(), st.text(min_size=1)).map(
    lambda pair: [{"role": "user", "content": pair[0]}, {"role": "assistant", "content": pair[1]}]
)
GOOD_ROW = st.fixed_dictionaries({"messages": GOOD_MESSAGES}, optional={"tools": st.lists(VALUES, max_size=2)})


def dump(row: Any) -> bytes:
    return json.dumps(row, ensure_ascii=True).encode()


def judge(chunks: list[bytes]) -> tuple[Verdict, dict[str, list[Any]]]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        verdict = check({"dataset": chunks}, Config(), [], folder)
        written = {path.stem: [json.loads(line) for line in path.open("rb")] for path in folder.iterdir()}
    return verdict, written


def cut(data: bytes, sizes: list[int]) -> list[bytes]:
    chunks, start = [], 0
    for size in sizes:
        chunks.append(data[start : start + size])
        start += size
    return [*chunks, data[start:]]


@FEW
@given(st.lists(st.binary(max_size=40) | ROW.map(dump), max_size=20))
def test_any_bytes_get_a_verdict_and_never_a_crash(lines: list[bytes]) -> None:
    verdict, written = judge([b"\n".join(lines)])
    assert verdict.accepted == (not any(finding.severity == "error" for finding in verdict.findings))
    assert bool(written) == verdict.accepted
    json.dumps(verdict.as_json())


@FEW
@given(st.binary(max_size=200))
def test_any_bytes_of_a_droptune_toml_get_a_config_or_findings(data: bytes) -> None:
    config, findings = parse(data)
    assert isinstance(config, Config)
    assert all(finding.severity == "error" and finding.fix for finding in findings)


@FEW
@given(st.lists(GOOD_ROW | ROW, min_size=1, max_size=20), st.lists(st.integers(0, 60), max_size=20))
def test_the_sizes_of_chunks_do_not_change_the_verdict(rows: list[Any], sizes: list[int]) -> None:
    data = b"\n".join(dump(row) for row in rows)
    assert judge([data])[0] == judge(cut(data, sizes))[0]


@given(st.binary(max_size=100), st.lists(st.integers(0, 10), max_size=20))
def test_lines_are_the_physical_lines_whatever_the_chunks(data: bytes, sizes: list[int]) -> None:
    whole = data.split(b"\n")
    assert list(reader.lines(cut(data, sizes))) == (whole if whole[-1] else whole[:-1])


@FEW
@given(st.lists(GOOD_ROW, min_size=1, max_size=40))
def test_accepted_rows_satisfy_the_pipelines_rules(rows: list[Any]) -> None:
    verdict, written = judge([b"\n".join(dump(row) for row in rows)])
    if not verdict.accepted:
        assert {f.code for f in verdict.findings if f.severity == "error"} == {"too_few_rows"}
        return
    every = [row for side in written.values() for row in side]
    assert all(not rules.check_row(row, 1) for row in every)
    assert len({frozenset(row) for row in every}) == 1
    assert len(written["train"]) >= MIN_TRAIN_ROWS
    assert written["validation"]
    assert written["test"]
    assert {side: len(found) for side, found in written.items()} == verdict.counts


@given(st.binary(), st.floats(0.01, 0.49), st.floats(0.01, 0.49))
def test_a_row_lies_always_on_the_same_side(row: bytes, validation: float, test: float) -> None:
    side = split.side_of(row, validation, test)
    assert side in split.SIDES
    assert split.side_of(bytes(row), validation, test) == side
    assert 0 <= split.place_of(row) < 1
    if side == "test":  # a bigger test side keeps what it had
        assert split.side_of(row, validation, 0.49) == "test"


@FEW
@given(st.sets(st.integers(0, 10_000), min_size=30, max_size=60))
def test_rows_keep_their_side_when_others_come_and_go(numbers: set[int]) -> None:
    def rows(chosen: list[int]) -> list[bytes]:
        return [
            dump({"messages": [{"role": "user", "content": str(n)}, {"role": "assistant", "content": "a"}]})
            for n in chosen
        ]

    def sides(lines: list[bytes]) -> dict[str, str]:
        _, written = judge([b"\n".join(lines)])
        return {json.dumps(row): side for side, found in written.items() for row in found}

    ordered = sorted(numbers)
    before, after = sides(rows(ordered)), sides(rows(ordered[::-1]))
    assert before == after


def test_the_split_is_about_as_big_as_asked() -> None:
    found = [split.side_of(str(number).encode(), 0.1, 0.2) for number in range(5000)]
    assert 0.17 < found.count("test") / 5000 < 0.23
    assert 0.08 < found.count("validation") / 5000 < 0.12


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
        "chats.jsonl": ("chats", "dataset"),
        "test.jsonl": ("test", "dataset"),
        "acme/test.jsonl": ("acme", "test"),
        "acme/validation.jsonl": ("acme", "validation"),
        "acme/droptune.toml": ("acme", "config"),
    }
    found = {path: place(path) for path in told}
    assert {path: (p.name, p.role) for path, p in found.items() if p} == told
    assert [place(path) for path in ("droptune.toml", "acme/notes.txt", "acme/", "")] == [None] * 4


@given(st.lists(st.lists(st.text(max_size=30), min_size=1, max_size=6), min_size=1, max_size=30))
def test_a_profiles_histograms_hold_every_row_once(rows: list[list[str]]) -> None:
    profile = Profile()
    for texts in rows:
        profile.add([{"role": "user", "content": text} for text in texts], repr(texts).encode())
    summary = profile.summary()
    for key in ("turns", "characters_a_row", "answer_characters_a_row"):
        figures = summary[key]
        assert sum(bar["rows"] for bar in figures["histogram"]) == len(rows)
        assert len(figures["histogram"]) <= 12
        assert figures["min"] <= figures["median"] <= figures["p95"] <= figures["max"]
    assert summary["duplicates"] == len(rows) - len({repr(texts) for texts in rows})
