"""What is counted about many rows: exact while they are few, and honest about it when they are not."""

from __future__ import annotations

import random

import msgspec
import pytest
from dataset_cases import ERRORS, TOLD
from folder_sink import judge
from hypothesis import given
from hypothesis import strategies as st

from shared.datasets.counts.duplicates import copies, standing_in
from shared.datasets.counts.kept import Kept
from shared.datasets.split import Fractions
from shared.reports.document import Report


def kept(limit: int, keys: list[int]) -> Kept:
    made = Kept(limit, "Q", "I")
    made.add(keys, list(range(1, len(keys) + 1)))
    return made


def test_copies_of_few_rows_are_counted_exactly_and_the_first_is_named() -> None:
    found = copies(kept(100, [5, 6, 7, 6, 5]))
    assert (found.rows, found.line, found.first, found.basis) == (2, 4, 2, "exact")


def test_copies_of_many_rows_are_estimated_and_say_so() -> None:
    choose = random.Random(1)
    distinct = [choose.getrandbits(64) for _ in range(40_000)]
    keys = distinct + choose.choices(distinct, k=20_000)
    found = copies(kept(4_000, keys))
    assert "one row in 16" in found.basis
    assert 0.85 < found.rows / 20_000 < 1.15


@given(st.lists(st.integers(0, 2**64 - 1), max_size=300), st.integers(0, 300), st.integers(1, 50))
def test_two_stretches_joined_keep_what_one_would_have_kept(keys: list[int], place: int, limit: int) -> None:
    whole, first, second = kept(limit, keys), kept(limit, keys[:place]), kept(limit, keys[place:])
    first.extend(second)
    assert first.mask == whole.mask
    assert list(first.columns[0]) == list(whole.columns[0])


@given(st.lists(st.integers(0, 2**64 - 1), max_size=200), st.integers(1, 40), st.randoms())
def test_what_is_kept_does_not_depend_on_the_order(keys: list[int], limit: int, choose: random.Random) -> None:
    other = list(keys)
    choose.shuffle(other)
    assert sorted(kept(limit, keys).columns[0]) == sorted(kept(limit, other).columns[0])


def test_rows_of_a_test_file_are_looked_for_on_the_training_side_alone() -> None:
    trained, tested = kept(100, [2**63, 1]), kept(100, [1, 2**63])
    assert standing_in(tested, trained, Fractions(0.0, 0.1)) == (1, 2)


CASES = {**{name: case[0] for name, case in ERRORS.items()}, **{name: case[0] for name, case in TOLD.items()}}


@pytest.mark.parametrize("data", [CASES["no assistant"], CASES["a row twice"], CASES["an e-mail address"], b""])
def test_a_verdict_is_a_document_of_the_schema(data: bytes) -> None:
    document = {
        "file": "x",
        "etag": "e",
        "name": "x",
        "state": "accepted",
        "reason": "",
        "fix": "",
        **judge(data).as_json(),
    }
    report = msgspec.convert(document, Report)
    assert report.rows == document["rows"]
    assert len(report.findings) == len(document["findings"])
