"""Pages by the place of their last document: nothing twice, nothing lost, at a cost that does not grow."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from starlette.requests import Request

from azureml_box.errors import BadRequest
from azureml_box.http import newest_page
from azureml_box.store import Store


@pytest.fixture
def box(tmp_path: Path) -> Any:
    store = Store(tmp_path / "s.sqlite")
    for number in range(1, 251):
        store.put("jobs", f"j{number}", {"n": number, "_private": True})
        store.put("others", f"o{number}", {"n": -number})
    return SimpleNamespace(config=SimpleNamespace(base_url="https://127.0.0.1:1"), store=store)


def page(box: Any, query: str = "", keep: Any = lambda doc: True) -> tuple[list[int], str]:
    scope = {"type": "http", "method": "GET", "path": "/jobs", "headers": [], "query_string": query.encode()}
    scope["server"] = ("127.0.0.1", 1)
    answer = json.loads(bytes(newest_page(box, Request(scope), "jobs", keep).body))
    assert all(set(doc) == {"n"} for doc in answer["value"])
    return [doc["n"] for doc in answer["value"]], urlsplit(answer.get("nextLink", "")).query


def walked(box: Any, query: str, keep: Any = lambda doc: True) -> list[int]:
    found, query = page(box, query, keep)
    while query:
        more, query = page(box, query, keep)
        found += more
    return found


def test_all_pages_together_are_all_documents_newest_first(box: Any) -> None:
    assert walked(box, "") == list(range(250, 0, -1))
    assert walked(box, "", lambda doc: doc["n"] % 3 == 0) == list(range(249, 0, -3))
    assert walked(box, "$skip=240") == list(range(10, 0, -1))


def test_what_is_made_meanwhile_shifts_no_page(box: Any) -> None:
    first, query = page(box, "listViewType=All")
    box.store.put("jobs", "new", {"n": 999, "_private": True})
    second, _ = page(box, query)
    assert (first[-1], second[0], second[-1]) == (151, 150, 51)
    assert parse_qs(query)["listViewType"] == ["All"]


def test_top_is_a_limit_without_a_next_page(box: Any) -> None:
    assert page(box, "$top=2") == ([250, 249], "")


@pytest.mark.parametrize("query", ["$skiptoken=x", "$top=-1", "$skip=1.5"])
def test_what_is_no_number_is_refused(box: Any, query: str) -> None:
    with pytest.raises(BadRequest, match="whole number"):
        page(box, query)


def test_the_database_walks_an_index_and_sorts_nothing(box: Any) -> None:
    sql = "EXPLAIN QUERY PLAN SELECT number, doc FROM documents WHERE kind = 'jobs' AND number < 5 ORDER BY number DESC"
    plan = " ".join(str(row[3]) for row in box.store._db.execute(sql))
    assert "documents_in_order" in plan
    assert "TEMP B-TREE" not in plan
