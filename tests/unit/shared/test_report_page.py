"""The report's page: whatever stands in a dataset, it is shown, nothing of it runs, and the page stays small."""

from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.reports import render
from shared.reports.verdict import STATES

ATTACKS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</title><script>alert(1)</script>",
    "</style><svg onload=alert(1)>",
    "--></bdi></code></pre><iframe srcdoc=x>",
    "{{ 7 * 7 }}",
)
TAGS = """html head meta title style body main header footer section nav article figure figcaption details summary h1 h2 h3
    p div span b strong small code pre mark bdi br a ul ol li dl dt dd table caption thead tbody tr th td
    svg desc rect path text polyline"""
ATTRIBUTES = """lang charset http-equiv content name id class href title dir scope role viewbox preserveaspectratio
    x y width height d points text-anchor aria-label aria-labelledby aria-hidden"""
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
MOST_BYTES = 1_500_000
FIELDS = ("severity",)  # a closed vocabulary: another word is no finding


class Page(HTMLParser):
    """Collects elements and the text that people see."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.shown = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.shown += data

    def values(self, name: str) -> list[str]:
        """All values of an attribute."""
        return [value for _, found in self.elements if (value := found.get(name)) is not None]


def document(text: str) -> dict[str, Any]:
    """A document with every part, and a text wherever one may stand."""
    finding = dict.fromkeys(("code", "message", "fix", "field", "file"), text) | {"severity": "error", "line": 3}
    excerpt = {"before": text, "marked": text, "after": text}
    spread = {"min": 1, "median": 2, "p95": 4, "max": 4, "mean": 2.5, "histogram": [{"from": 1, "to": 4, "rows": 9}]}
    measures = {"rows": 4, "exact": 0.25, "f1": 0.5, "chrf": 50.5, "length": 1.5, "empty": 0, "cut": 0.5, "judged": 0.5}
    names = ("turns", "characters_a_row", "answer_characters_a_row", "tokens_a_row")
    return {
        **dict.fromkeys(("file", "state", "run", "reason", "fix", "name", "etag"), text),
        "rows": 9,
        "findings": [{**finding, "excerpt": excerpt}, {**finding, "severity": "warning"}],
        "findings_total": 2,
        "kinds": [{"code": text, "severity": "error", "count": 7, "what": text}],
        "timeline": [{"state": text, "at": text, "detail": text}],
        "metrics": {"curves": {text: [[0, 2.0], [10, 1.0]]}},
        "cost": {"estimate_usd": 2, "training_usd": 1.5, "training_seconds": 300},
        "profile": {
            "rows": 9,
            "characters": 900,
            "roles": {text: 1},
            "patterns": [{"roles": [text, text], "rows": 5}],
            **dict.fromkeys(names, spread),
            "tokens": {"total": 300, "answers": 200, "basis": text, "error": 0.04, "exact": False},
            "languages": [{"script": text, "share": 0.5}],
            "duplicates": 1,
            "duplicates_basis": text,
            "longest": {"line": 1, "characters": 9},
            "shortest": {"line": 2, "characters": 1},
            "pii": [{"kind": text, "name": text, "count": 30, "lines": [1, 7], "secret": True}],
        },
        "estimate": {"usd": 1, "usd_low": 1, "usd_high": 2, "hours": 1, "size": text, "gpus": 1, "basis": [text]},
        "counts": {text: 1},
        "table": {"columns": [text], "rows": [{"name": text, "values": [text]}]},
        "sample": [[{"role": text, "content": text}, {"role": "user", "content": None}]],
        "endpoint": {"name": text},
        "evaluation": {
            "course": text,
            "rows": 4,
            "beside": text,
            "new": measures,
            "other": measures,
            "comparison": {"rows": 4, "new": 50, "other": 60, "better_rows": 1, "worse_rows": 3, "sure": 0.1},
            "worst": [{"row": 1, "chrf": 3.2, **dict.fromkeys(("asked", "reference", "answer", "other"), text)}],
        },
    }


def fill(value: Any, text: Callable[[], str]) -> Any:
    """A document with another text wherever one stands, keys included."""
    if isinstance(value, dict):
        kept = {key: entry if key in FIELDS else fill(entry, text) for key, entry in value.items()}
        return {(text() if key == "?" else key): entry for key, entry in kept.items()}
    if isinstance(value, list):
        return [fill(entry, text) for entry in value]
    return text() if isinstance(value, str) else value


def assert_harmless(text: str) -> None:
    """Only the templates' own elements and attributes stand in a page, and it asks for nothing."""
    page = Page(text)
    assert {tag for tag, _ in page.elements} <= set(TAGS.split())
    assert {name for _, found in page.elements for name in found} <= set(ATTRIBUTES.split())
    assert all(target.startswith("#") for target in page.values("href"))
    assert len(page.values("id")) == len(set(page.values("id")))
    assert POLICY in page.values("content")


@pytest.mark.parametrize("attack", ATTACKS)
def test_hostile_content_is_shown_and_does_not_run(attack: str) -> None:
    text = render(document(attack))
    assert_harmless(text)
    assert Page(text).shown.count(attack) == Page(render(document("harmless"))).shown.count("harmless")


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_no_string_in_any_field_becomes_markup(data: st.DataObject) -> None:
    strings = st.text(max_size=40) | st.sampled_from([*ATTACKS, "\u202e", "\x00", "]]>", "&#60;", "\ud800"])
    assert_harmless(render(fill(document("?"), lambda: data.draw(strings))))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_document_that_somebody_wrote_over_still_makes_a_page(data: st.DataObject) -> None:
    whole = document("text")
    broken = data.draw(st.dictionaries(st.sampled_from(sorted(whole)), JSON, max_size=8))
    inside = data.draw(st.dictionaries(st.sampled_from(sorted(whole["profile"])), JSON, max_size=8))
    assert_harmless(render({**whole, "profile": {**whole["profile"], **inside}, **broken}))


@pytest.mark.parametrize("letter", ["&", "'", "\u202e", "\u00a0", "😀", "W", "\u0336"])
def test_a_page_stays_small_whatever_the_document_holds(letter: str) -> None:
    long = letter * 1_000_000
    whole = document(long)
    message = {"role": "user", "content": long}
    for number, finding in enumerate(many := whole["findings"] * 200):
        many[number] = {
            **finding,
            "code": f"{number}{long[:999]}",
            "message": f"{number}{long[:999]}",
            "excerpt": many[0]["excerpt"],
        }
    profile = {**whole["profile"], "roles": {f"{n}{long[:999]}": 1 for n in range(300)}}
    for key in ("patterns", "languages", "pii"):
        profile[key] = whole["profile"][key] * 300
    bins = [{"from": n, "to": n, "rows": n} for n in range(3000)]
    profile["turns"] = {**profile["turns"], "histogram": bins}
    curves = {f"{n}{long[:999]}": [[step, step % 7] for step in range(3000)] for n in range(20)}
    whole |= {"findings": many, "kinds": whole["kinds"] * 300, "profile": profile, "metrics": {"curves": curves}}
    whole |= {"sample": [[message] * 50] * 50, "timeline": whole["timeline"] * 500}
    whole["table"] = {"columns": [long] * 90, "rows": [{"name": long, "values": [long] * 90}] * 90}
    assert len(render(whole).encode()) < MOST_BYTES


@pytest.mark.parametrize("state", sorted(STATES))
def test_a_page_needs_nothing_but_file_and_state(state: str) -> None:
    page = Page(render({"file": "acme/x.jsonl", "state": state}))
    assert "acme/x.jsonl" in page.shown
    assert STATES[state].called in page.shown
    assert not page.values("src")
    assert not page.values("href")


def test_a_page_names_no_address() -> None:
    text = render(document("text"))
    assert "://" not in text
    assert "url(" not in text
    assert "@import" not in text


def test_a_screen_reader_is_told_what_each_table_and_chart_is() -> None:
    page = Page(render(document("text")))
    heads = [found for tag, found in page.elements if tag == "th"]
    assert heads
    assert all(found.get("scope") in ("col", "row") for found in heads)
    drawn = [found for tag, found in page.elements if tag == "svg" and found.get("role") == "img"]
    named = {name for found in drawn for name in (found["aria-labelledby"] or "").split()}
    assert drawn
    assert named <= set(page.values("id"))
    tables = sum(tag == "table" for tag, _ in page.elements)
    assert sum(tag == "caption" for tag, _ in page.elements) == tables


def test_the_links_of_a_page_lead_to_its_sections() -> None:
    page = Page(render({**document("text"), "state": "live"}))
    assert len(page.values("href")) == 7
    assert {target[1:] for target in page.values("href")} <= set(page.values("id"))


def test_a_rejected_file_is_told_what_to_do_first() -> None:
    warning = {"code": "crlf", "severity": "warning", "message": "CRLF became LF", "fix": "nothing", "line": 1}
    excerpt = {"before": '{"role":', "marked": '"User"', "after": "}"}
    error = {
        "code": "role",
        "severity": "error",
        "message": "no role",
        "fix": "write user",
        "line": 9,
        "excerpt": excerpt,
    }
    kinds = [{"code": "role", "severity": "error", "count": 1204, "what": "an unknown role"}]
    shown = Page(render({"file": "f", "state": "rejected", "findings": [warning, error], "kinds": kinds})).shown
    first = shown[: shown.index("What was found")]
    assert "1,204 places must be mended" in first
    assert "no role" in first
    assert '"User"' in first
    assert "write user" in first
    assert "CRLF" not in first


def test_the_kinds_are_counted_from_the_list_where_nobody_counted() -> None:
    finding = {"code": "role", "severity": "error", "message": "no role", "fix": "write user"}
    shown = Page(render({"file": "f", "state": "rejected", "findings": [finding] * 3})).shown
    assert "3 places must be mended" in shown


def test_a_value_that_stands_in_personal_data_has_no_place_on_the_page() -> None:
    pii = [{"kind": "email", "name": "e-mail", "count": 2, "lines": [4], "value": "ann@example.com"}]
    assert "ann@example.com" not in render({"file": "f", "state": "accepted", "profile": {"rows": 1, "pii": pii}})
