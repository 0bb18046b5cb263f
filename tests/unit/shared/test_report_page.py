"""The report's page: whatever stands in a dataset, nothing of it runs."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import pytest

from shared.datasets.profile import Profile
from shared.reports import bars, render

ATTACKS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</title><script>alert(1)</script>",
    "</style><svg onload=alert(1)>",
    "{{ 7 * 7 }}",
)


class Page(HTMLParser):
    """Collects tags, attributes and the text that people see."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.shown = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.shown += data


def document(text: str) -> dict[str, Any]:
    profile = Profile()
    profile.add([{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}], b"row")
    finding = dict.fromkeys(("code", "severity", "message", "fix", "line", "field", "file"), text)
    return {
        **dict.fromkeys(("file", "state", "run", "reason", "fix", "name"), text),
        "findings": [finding],
        "findings_total": 1,
        "timeline": [{"state": text, "at": text, "detail": text}],
        "metrics": {"curves": {text: [[0, 2.0], [10, 1.0]]}},
        "profile": {**profile.summary(), "roles": {text: 1}},
        "counts": {text: 1},
        "table": {"columns": [text], "rows": [{"name": text, "values": [text]}]},
        "sample": [[{"role": text, "content": text}]],
        "endpoint": {"name": text},
    }


@pytest.mark.parametrize("attack", ATTACKS)
def test_hostile_content_is_shown_and_does_not_run(attack: str) -> None:
    page, harmless = Page(render(document(attack))), Page(render(document("harmless")))
    assert page.tags == harmless.tags
    assert page.attributes == harmless.attributes
    assert not page.tags & {"script", "img", "iframe", "link"}
    assert not [name for name in page.attributes if name.startswith("on")]
    assert page.shown.count(attack) == harmless.shown.count("harmless")


def test_a_page_needs_nothing_but_file_and_state() -> None:
    page = Page(render({"file": "acme/x.jsonl", "state": "rejected"}))
    assert "acme/x.jsonl" in page.shown
    assert "src" not in page.attributes
    assert "href" not in page.attributes


def test_bars_fill_the_drawing() -> None:
    assert bars([]) == []
    drawn = bars([{"from": 0, "to": 1, "rows": 4}, {"from": 2, "to": 3, "rows": 0}])
    assert [(bar["x"], bar["height"]) for bar in drawn] == [(0, 56), (120, 0)]
