"""The checker of a chaos run catches what it is for: each planted wrong is told, and a right end is not."""

from __future__ import annotations

import random
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from tests.chaos.checker import judge
from tests.chaos.seen import Seen
from tests.chaos.wishes import MOST_FOLDERS, Wish, plan

WISHES = [Wish("a", "one.jsonl", "w1q", 20), Wish("a", "two.jsonl", "w2q", 20), Wish("b", "one.jsonl", "w3q", 20)]
STRANGERS = {"/onlineEndpoints/x": {"etag": 1}}
CALM, WINDOW = 1_000_000_100.0, 60.0
T = "2001-09-09T01:{}Z"  # minute 48:20 is CALM


def call(method: str, path: str, status: int, at: str) -> dict[str, Any]:
    return {"method": method, "path": path, "status": status, "effect": "changed", "at": T.format(at)}


def right() -> Seen:
    """Two folders, three datasets, all as it should be."""
    return Seen(
        jobs=[
            {"name": f"j{n}", "status": "Completed", "trained": [wish.word]} for n, wish in enumerate(WISHES, start=1)
        ],
        models=["m:1", "m:2", "m:3"],
        endpoints={"ea": [], "eb": []},
        bill=[
            {"endpoint": "ea", "deployment": "d1", "from": T.format("46:00"), "to": T.format("49:10")},
            {"endpoint": "eb", "deployment": "d2", "from": T.format("48:30"), "to": T.format("49:50")},
        ],
        reports={
            "a/one.jsonl": {"state": "superseded"},
            "a/two.jsonl": {"state": "live"},
            "b/one.jsonl": {"state": "live"},
        },
        strangers=deepcopy(STRANGERS),
        calls=[
            *(call("PUT", f"/x/workspaces/w/jobs/j{n}", 201, "47:00") for n in (1, 2, 3)),
            call("PUT", "/x/onlineEndpoints/eb", 200, "49:00"),
        ],
    )


def told(seen: Seen, window: float | None = WINDOW) -> str:
    return "\n".join(judge(seen, WISHES, STRANGERS, CALM, window))


def test_more_datasets_than_endpoints_share_folders_and_have_paths_and_words_of_their_own() -> None:
    made = plan(random.Random(7), MOST_FOLDERS + 2)
    assert len({wish.folder for wish in made}) == MOST_FOLDERS
    assert len({wish.path for wish in made}) == len({wish.word for wish in made}) == len(made)
    assert {wish.file for wish in made[-2:]} == {"chats1.jsonl"}
    assert len({wish.folder for wish in plan(random.Random(7), 6, 3)}) == 2


def test_a_right_end_is_right() -> None:
    assert told(right()) == ""
    awake = right()
    awake.endpoints = {"ea": ["d1"], "eb": ["d2"]}
    awake.bill = [{**row, "to": None} for row in awake.bill]
    assert told(awake, None) == ""


WRONGS: dict[str, Callable[[Seen], Any]] = {
    "a/one.jsonl has 2 jobs": lambda seen: seen.jobs.append({"name": "j9", "status": "Completed", "trained": ["w1q"]}),
    "b/one.jsonl has 0 jobs": lambda seen: seen.jobs.pop(),
    "j3 is Running": lambda seen: seen.jobs[2].update(status="Running"),
    "j3 trains on []": lambda seen: seen.jobs[2].update(trained=[]),
    "j3 trains on ['w2q', 'w3q']": lambda seen: seen.jobs[2].update(trained=["w2q", "w3q"]),
    "jobs/j1 was made 2 times": lambda seen: seen.calls.append(seen.calls[0]),
    "the report of b/one.jsonl says None": lambda seen: seen.reports.pop("b/one.jsonl"),
    "the report of b/one.jsonl says failed": lambda seen: seen.reports["b/one.jsonl"].update(state="failed"),
    "a has 2 live runs": lambda seen: seen.reports["a/one.jsonl"].update(state="live"),
    "b has 0 live runs": lambda seen: seen.reports["b/one.jsonl"].update(state="superseded"),
    "4 model versions for 3 wishes": lambda seen: seen.models.append("m:4"),
    "2 model versions for 3 wishes": lambda seen: seen.models.pop(),
    "ea has ['d1'] at the end": lambda seen: seen.endpoints.update(ea=["d1"]),
    "ea/d1 still bills": lambda seen: seen.bill[0].update(to=None),
    "ea/d1 billed for 61 s after": lambda seen: seen.bill[0].update(to=T.format("49:21")),
    "eb/d2 billed for 62 s after": lambda seen: seen.bill[1].update(to=T.format("50:02")),
    "a stranger was touched": lambda seen: seen.strangers["/onlineEndpoints/x"].update(etag=2),
    "a secret is told: key in functions.log": lambda seen: seen.secrets_in.append("key in functions.log"),
}


@pytest.mark.parametrize("words", WRONGS)
def test_what_is_wrong_is_told(words: str) -> None:
    seen = right()
    WRONGS[words](seen)
    assert words in told(seen)


AWAKE_WRONGS: dict[str, Callable[[Seen], Any]] = {
    "2 folders, but deployments are": lambda seen: seen.endpoints.update(eb=["d2", "d3"]),
    "2 folders, but": lambda seen: seen.endpoints.update(orphan=["d9"]),
    "stand, and": lambda seen: seen.bill.append({"endpoint": "eb", "deployment": "d8", "from": "", "to": None}),
}


@pytest.mark.parametrize("words", AWAKE_WRONGS)
def test_what_is_wrong_where_nobody_sleeps_is_told_too(words: str) -> None:
    seen = right()
    seen.endpoints = {"ea": ["d1"], "eb": ["d2"]}
    seen.bill = [{**row, "to": None} for row in seen.bill]
    AWAKE_WRONGS[words](seen)
    assert words in told(seen, None)
