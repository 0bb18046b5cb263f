"""Pages by the place of their last document: nothing twice, nothing lost, at a cost that does not grow."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from starlette.requests import Request
from starlette.responses import Response

from azureml_box import assets, containers
from azureml_box.asset_kinds import common
from azureml_box.asset_routes import _Handlers
from azureml_box.errors import BadRequest, NotFound
from azureml_box.http import listed
from azureml_box.store import Store, _page_sql

Answered = Callable[[Request], Response]


@pytest.fixture
def box(tmp_path: Path) -> Any:
    store = Store(tmp_path / "s.sqlite")
    for number in range(1, 251):
        store.put("jobs", f"j{number}", {"n": number, "_private": True})
        store.put("others", f"o{number}", {"n": -number})
        store.put("deployments", f"a/{number}", {"n": number})
        store.put("deployments", f"ab/{number}", {"n": -number})
    config = SimpleNamespace(base_url="https://127.0.0.1:1", workspace_scope="/ws", registries={})
    return SimpleNamespace(config=config, store=store)


def jobs(box: Any, keep: Any = lambda doc: True) -> Answered:
    return lambda request: listed(box, request, "jobs", keep, newest_first=True)


def page(answered: Answered, query: str = "", **named: str) -> tuple[list[Any], str]:
    scope = {"type": "http", "method": "GET", "path": "/jobs", "headers": [], "query_string": query.encode()}
    answer = json.loads(bytes(answered(Request({**scope, "server": ("127.0.0.1", 1), "path_params": named})).body))
    assert not any(key.startswith("_") for doc in answer["value"] for key in doc)
    return [doc.get("n", doc.get("name")) for doc in answer["value"]], urlsplit(answer.get("nextLink", "")).query


def walked(answered: Answered, query: str = "", **named: str) -> list[Any]:
    found, query = page(answered, query, **named)
    while query:
        more, query = page(answered, query, **named)
        found += more
    return found


def keep(box: Any, name: str, version: str, **properties: bool) -> None:
    doc = {"name": version, "_name": name, "_scope": "workspace", "systemData": {}}
    containers.keep_version(box, "models", {**doc, "properties": common(properties)})


def models(box: Any, of_one: bool = False) -> Answered:
    handlers = _Handlers(box, "models")
    return lambda request: asyncio.run((handlers.list_versions if of_one else handlers.list_containers)(request))


def test_all_pages_together_are_all_documents_newest_first(box: Any) -> None:
    assert walked(jobs(box)) == list(range(250, 0, -1))
    assert walked(jobs(box, lambda doc: doc["n"] % 3 == 0)) == list(range(249, 0, -3))
    assert walked(jobs(box), "$skip=240") == list(range(10, 0, -1))


def test_what_lies_below_one_place_is_listed_alone_and_in_order(box: Any) -> None:
    assert walked(lambda request: listed(box, request, "deployments", below="a/")) == list(range(1, 251))
    assert walked(lambda request: listed(box, request, "deployments", below="ab/")) == list(range(-1, -251, -1))
    assert walked(lambda request: listed(box, request, "others"), "count=7") == list(range(-1, -251, -1))


def test_what_is_made_meanwhile_shifts_no_page(box: Any) -> None:
    first, query = page(jobs(box), "listViewType=All")
    box.store.put("jobs", "new", {"n": 999, "_private": True})
    second, _ = page(jobs(box), query)
    assert (first[-1], second[0], second[-1]) == (151, 150, 51)
    assert parse_qs(query)["listViewType"] == ["All"]


def test_top_is_a_limit_also_over_pages(box: Any) -> None:
    assert page(jobs(box), "$top=2") == ([250, 249], "")
    assert walked(jobs(box), "$top=130") == list(range(250, 120, -1))


@pytest.mark.parametrize("query", ["$skiptoken=x", "$top=-1", "$skip=1.5", "$skip=\u00b2", "$top=" + "9" * 40])
def test_what_is_no_number_is_refused(box: Any, query: str) -> None:
    with pytest.raises(BadRequest, match="whole number"):
        page(jobs(box), query)


def test_containers_page_in_order_of_their_first_version_without_anonymous_ones(box: Any) -> None:
    for number in range(250):
        keep(box, f"m{number}", "1")
        keep(box, f"hidden{number}", "1", isAnonymous=True)
    keep(box, "m0", "2")
    assert walked(models(box)) == [f"m{number}" for number in range(250)]
    keep(box, "hidden7", "2")
    assert walked(models(box), "$top=999")[7:9] == ["m7", "hidden7"]
    assert walked(models(box, of_one=True), "$orderBy=createdtime asc", name="m0") == ["1", "2"]
    assert walked(models(box, of_one=True), name="m0") == ["2", "1"]


def test_a_container_goes_with_its_last_version_unless_somebody_made_it(box: Any) -> None:
    keep(box, "gone", "1")
    keep(box, "kept", "1")
    assert containers.put(box, "models", "workspace", "kept", {"tags": {"a": "b"}})[1] is False
    for name in ("gone", "kept"):
        assert containers.remove_version(box, "models", "workspace", name, "1")
    assert walked(models(box)) == ["kept"]
    with pytest.raises(NotFound):
        containers.get(box, "models", "workspace", "gone")
    assert containers.get(box, "models", "workspace", "kept")["properties"]["latestVersion"] is None


def test_the_latest_version_is_found_without_the_others(box: Any) -> None:
    for number in range(1, 301):
        keep(box, "m", str(number), isArchived=number > 150)
    shown = containers.get(box, "models", "workspace", "m")["properties"]
    assert (shown["latestVersion"], shown["nextVersion"]) == ("150", "301")
    assert assets.find(box, "models", "m@latest")["name"] == "150"


@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.parametrize("placed", [True, False])
def test_the_database_walks_an_index_and_sorts_nothing(box: Any, placed: bool, newest_first: bool) -> None:
    values = ("jobs", "a/", 5, 100) if placed else ("jobs", 5, 100)
    plan = box.store.rows("EXPLAIN QUERY PLAN " + _page_sql(placed, newest_first), values)
    assert len(plan) == 1
    index = "documents_by_place (kind=? AND <expr>=? AND" if placed else "documents_in_order (kind=? AND"
    assert f"USING INDEX {index} number" in plan[0][3]
