"""Fault rules without a wire: which calls they are about, which they fire for, what they say."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azureml_box.errors import ArmError, BadRequest
from azureml_box.faults.book import FaultBook
from azureml_box.faults.calls import CallLog
from azureml_box.faults.effects import Effect
from azureml_box.faults.named import NAMED
from azureml_box.faults.rules import read
from azureml_box.faults.trigger import Count, Trigger
from azureml_box.provisioning import Provisioning, failing
from azureml_box.store import Store

WS = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.MachineLearningServices/workspaces/ws"


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("jobs/*", f"{WS}/jobs/a", True),
        ("jobs/*", f"{WS}/jobs/a/cancel", False),
        ("jobs/**", f"{WS}/jobs/a/cancel", True),
        ("jobs", f"{WS}/otherjobs", False),
        ("JOBS/a-*", f"{WS}/jobs/a-1", True),
        ("/jobs/*", f"{WS}/jobs/a", False),
        ("/**/jobs/*", f"{WS}/jobs/a", True),
        ("/metadata/**", "/metadata/endpoints", True),
        ("jobs/a.b", f"{WS}/jobs/axb", False),
        ("**", "/healthz", False),
        ("**", "/_emulator/faults", False),
    ],
)
def test_a_pattern_is_about_the_end_of_an_address(pattern: str, path: str, fits: bool) -> None:
    assert Trigger(path=pattern).matches("GET", path) is fits


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [("", True), ("comp=blocklist", True), ("comp", True), ("blockid", True), ("comp=block", False), ("x", False)],
)
def test_a_rule_may_want_a_parameter(wanted: str, fits: bool) -> None:
    assert Trigger(query=wanted).matches("PUT", "/a/c/b", "comp=blocklist&blockid=") is fits


def fires(trigger: Trigger, calls: int = 8) -> list[int]:
    count = Count(trigger)
    return [number for number in range(1, calls + 1) if count.fires()]


def test_the_nth_every_nth_and_how_often() -> None:
    assert fires(Trigger()) == [1]
    assert fires(Trigger(nth=3)) == [3]
    assert fires(Trigger(nth=3, times=2)) == [3, 4]
    assert fires(Trigger(every=3, times=0)) == [3, 6]
    assert fires(Trigger(times=0)) == list(range(1, 9))


@given(st.integers(0, 2**32), st.floats(0, 1))
def test_a_seed_breaks_the_same_calls_again(seed: int, share: float) -> None:
    trigger = Trigger(probability=share, seed=seed, times=0)
    assert fires(trigger, 50) == fires(trigger, 50)


def test_a_share_is_about_that_share() -> None:
    assert 250 < len(fires(Trigger(probability=0.3, seed=7, times=0), 1000)) < 350


def test_the_first_rule_that_fires_hides_the_others(tmp_path: Path) -> None:
    book = FaultBook(Store(tmp_path / "s"))
    book.add({"path": "jobs/*", "status": 500})
    book.add({"path": "jobs/*", "status": 429})
    taken = [book.take("GET", f"{WS}/jobs/a") for _ in range(3)]
    assert [rule and rule.effect.status for rule in taken] == [500, 429, None]
    assert [(rule["seen"], rule["fired"]) for rule in book.document()["faults"]] == [(3, 1), (2, 1)]


@pytest.mark.parametrize("name", NAMED)
def test_every_named_fault_is_a_rule(name: str) -> None:
    assert read("f1", {"name": name, "times": 3}).trigger.times == 3


@given(
    st.dictionaries(st.text(max_size=8), st.none() | st.booleans() | st.integers() | st.text(max_size=5), max_size=4)
)
def test_whatever_is_sent_is_a_rule_or_refused(sent: dict[str, object]) -> None:
    try:
        read("f1", sent)
    except BadRequest as error:
        assert error.message


def test_an_error_without_words_has_azures() -> None:
    assert Effect(status=429).error() == ("TooManyRequests", "The request is being throttled.")
    assert Effect(status=429, code="Mine").error()[0] == "Mine"


def test_the_log_of_calls_is_a_ring_that_tells_effects(tmp_path: Path) -> None:
    log = CallLog(Store(tmp_path / "s"))
    for method, status in (("GET", 200), ("PUT", 201), ("PUT", 409), ("PUT", None), ("DELETE", 200), ("DELETE", 204)):
        call = log.begin("now", method, "/x", "")
        call.conclude(status)
        log.end(call)
    told = [call["effect"] for call in log.document()["calls"]]
    assert told == ["read", "created", "refused", "none", "deleted", "none"]
    assert [call["number"] for call in log.document(after=5)["calls"]] == [6]
    for _ in range(6000):
        log.begin("now", "GET", "/y", "")
    assert (len(log.document(limit=9999)["calls"]), log.document()["last"]) == (5000, 6006)


def test_what_waits_goes_on_when_it_is_advanced_or_fails_as_told() -> None:
    async def scene() -> list[object]:
        provisioning, seen = Provisioning({"jobs": "manual"}), list[object]()
        waiting = asyncio.create_task(provisioning.wait("jobs", "a"))
        await asyncio.sleep(0)
        seen += [waiting.done(), provisioning.advance("computes"), provisioning.advance("jobs", "a")]
        await waiting
        failing.set(("OutOfCapacity", "none left"))
        provisioning.choose("jobs", "immediate")
        with pytest.raises(ArmError, match="none left"):
            await provisioning.wait("jobs", "b")
        return seen

    assert asyncio.run(scene()) == [False, [], [{"kind": "jobs", "name": "a"}]]


@pytest.mark.parametrize("mode", ["slow", "manual:x", "timed:3", ""])
def test_a_mode_that_does_not_exist_is_refused(mode: str) -> None:
    with pytest.raises(BadRequest, match="immediate, manual, timed"):
        Provisioning({"jobs": mode})
