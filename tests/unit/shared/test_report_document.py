"""The report's document: its schema is what the code says, and what doesn't fit it is left out, not fatal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.reports import decode, encode, with_table
from shared.reports.document import Report, read, schema

SCHEMA = Path(__file__).parents[3] / "docs" / "report.schema.json"


def test_the_schema_in_the_docs_is_what_the_types_say() -> None:
    assert json.loads(SCHEMA.read_text(encoding="utf-8")) == schema()


def test_the_schema_is_one_of_draft_2020_12_and_asks_for_file_and_state() -> None:
    made = schema()
    assert made["$schema"].endswith("2020-12/schema")
    assert made["$defs"]["Report"]["required"] == ["file", "state"]


def test_every_definition_of_the_schema_says_what_it_is() -> None:
    assert [name for name, entry in schema()["$defs"].items() if not entry.get("description")] == []


@pytest.mark.parametrize("document", [None, 3, [], "x", {}])
def test_anything_is_read_as_a_report(document: object) -> None:
    assert read(document) == Report(file="", state="")


def test_what_does_not_fit_is_left_out_and_the_rest_kept() -> None:
    report = read(
        {
            "file": "a.jsonl",
            "state": "rejected",
            "rows": -1,
            "findings": [{"code": "a", "severity": "error", "line": "3"}, {"code": "b"}, 7],
            "counts": {"train": 9, "test": None},
            "profile": {"rows": 10**400, "roles": {"user": 1}, "turns": {"min": 1.5, "histogram": [{"from": 0}]}},
            "metrics": {"loss": 1.0, "curves": {"loss": [[0, 1], [1, None], [2, 3]]}},
        }
    )
    assert (report.rows, [finding.code for finding in report.findings], report.counts) == (0, ["a"], {"train": 9})
    assert report.findings[0].line is None
    assert report.profile is not None
    assert (report.profile.rows, report.profile.roles) == (0, {"user": 1})
    assert report.profile.turns is not None
    assert report.profile.turns.histogram == []
    assert report.metrics is not None
    assert report.metrics.curves == {"loss": [(0.0, 1.0), (2.0, 3.0)]}


PARTS = st.dictionaries(
    st.sampled_from([name for name in Report.__struct_fields__ if name not in ("file", "state")]),
    st.recursive(st.none() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3)),
)


@settings(deadline=None)
@given(PARTS)
def test_no_part_can_keep_a_report_from_being_read(parts: dict[str, Any]) -> None:
    assert read({**parts, "file": "f", "state": "s"}).state == "s"


def test_a_document_gets_its_table_once() -> None:
    document = {"file": "f", "state": "accepted", "profile": {"rows": 3, "turns": {"min": 2, "max": 4}}}
    made = with_table(document)
    assert made["table"]["rows"][0] == {"name": "turns", "values": [2.0, 0.0, 0.0, 4.0]}
    assert with_table({**made, "profile": {"rows": 9}})["table"] == made["table"]
    assert with_table({"file": "f", "profile": "?"}) == {"file": "f", "profile": "?"}


def test_a_lone_surrogate_does_not_keep_a_report_from_being_written() -> None:
    assert json.loads(encode({"reason": "bad \ud800"})) == {"reason": "bad ?"}


@pytest.mark.parametrize("written", [b"", b"[]", b'"\xff"', b"[" * 100_000, b"1e999", b"<html>"])
def test_what_is_no_report_is_begun_anew(written: bytes) -> None:
    assert decode(written) == {}
    assert decode(encode({"file": "f"})) == {"file": "f"}
