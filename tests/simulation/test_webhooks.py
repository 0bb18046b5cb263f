"""Webhooks in simulated time: told however it goes, never in the way, never for ever."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec
import pytest

from shared.lifecycle.notify import PAUSES
from shared.runs.records import Run
from shared.settings import settings
from tests.simulation import contents
from tests.simulation.many import run_many
from tests.simulation.outside.webhooks import MODES, Post, address
from tests.simulation.platform import Profile
from tests.simulation.setting import production
from tests.simulation.story import HOUR, Simulation

SEEDS, TRIES = 400, 9
PATH, CONFIG = "acme/chats.jsonl", "acme/droptune.toml"
MINUTE = 60.0
Begin = Callable[..., Simulation]


@pytest.fixture
def begin() -> Iterator[Begin]:
    """A world in which a dataset is dropped whose folder names a webhook of a kind; empty: none."""
    with production(stubbed=True) as belongs:

        def begun(mode: str, data: bytes = contents.rows("one"), profile: Profile | None = None) -> Simulation:
            simulation = Simulation(11, profile or Profile())
            belongs(simulation.world)
            if mode:
                simulation.webhooks["acme"] = address(mode, "acme")
            simulation.drop(CONFIG, b'[checks]\npii = "warn"\n')
            simulation.drop(PATH, data)
            return simulation

        yield begun


def run_of(simulation: Simulation) -> Run:
    found = next(iter(simulation.world.blobs.containers["runs"].values()))
    return msgspec.json.decode(found.data, type=Run)


def at_rest(simulation: Simulation) -> bool:
    return bool(simulation.world.blobs.containers.get("runs")) and run_of(simulation).state in ("live", "failed")


def posts(simulation: Simulation) -> list[Post]:
    return simulation.world.webhooks.posts


def test_random_schedules_in_which_folders_name_webhooks_violate_nothing_and_tell_all() -> None:
    figures = run_many(1, SEEDS, 2, webhooks=True)
    assert not figures.failed, figures.told()
    assert figures.schedules == SEEDS
    assert sum(times for (point, _), times in figures.fired.items() if point == "webhook post") > 20


def test_a_webhook_that_is_up_is_told_once_within_seconds(begin: Begin) -> None:
    simulation = begin("up")
    assert simulation.until(lambda: at_rest(simulation), 2 * HOUR, 1.0)
    simulation.until(lambda: False, 5.0)
    (post,) = posts(simulation)
    assert (post.document["type"], post.document["data"]["id"]) == ("Droptune.RunLive", run_of(simulation).id)
    simulation.until(lambda: False, 3 * HOUR)
    assert len(posts(simulation)) == 1
    simulation.checker.finish()


@pytest.mark.parametrize("mode", sorted(set(MODES)))
def test_a_run_is_live_at_the_same_moment_whatever_its_webhook_does(begin: Begin, mode: str) -> None:
    moments = []
    for named in ("", mode):
        simulation = begin(named)
        assert simulation.until(lambda simulation=simulation: at_rest(simulation), 2 * HOUR)
        moments.append((run_of(simulation).state, run_of(simulation).timeline[-1].at))
    assert moments[0] == moments[1]


@pytest.mark.parametrize("mode", ["down", "slow", "moved"])
def test_one_that_never_takes_it_is_tried_for_an_hour_then_that_is_noted_and_the_run_is_as_it_was(
    begin: Begin, mode: str
) -> None:
    simulation = begin(mode)
    assert simulation.until(lambda: at_rest(simulation), 2 * HOUR, 1.0)
    began = simulation.kernel.now
    assert simulation.until(lambda: run_of(simulation).notice.over, 2 * HOUR)
    assert sum(PAUSES) <= simulation.kernel.now - began < sum(PAUSES) + 10 * MINUTE
    assert len(posts(simulation)) == len(PAUSES) + 1 == TRIES
    assert len({post.id for post in posts(simulation)}) == 1
    run = run_of(simulation)
    assert (run.state, run.reason) == ("live", "")
    assert run.timeline[-1].detail.startswith(f"the webhook at {mode}-acme.hooks.example was not told: it ")
    simulation.until(lambda: False, HOUR)
    assert len(posts(simulation)) == TRIES
    assert not [path for path in simulation.world.blobs.containers["active"] if path.startswith("run/")]
    simulation.checker.finish()


def test_a_slow_one_of_many_rejected_files_holds_up_nobody_else(begin: Begin) -> None:
    waited = []
    for mode in ("up", "slow"):
        simulation = begin(mode, contents.BAD)
        for number in range(40):
            simulation.drop(f"acme/{number}.jsonl", contents.BAD)
        simulation.drop("beta/chats.jsonl", contents.rows("two"))
        began = simulation.kernel.now
        assert simulation.until(lambda simulation=simulation: bool(simulation.report("beta/chats.jsonl")), HOUR, 1.0)
        waited.append(simulation.kernel.now - began)
    assert waited[1] <= waited[0] + 5.0


def test_where_no_message_and_no_event_ever_arrives_the_timer_tells(begin: Begin) -> None:
    simulation = begin("late", profile=Profile(events_lost=1.0, messages_lost=1.0, deaf=True))
    assert simulation.until(lambda: at_rest(simulation), 6 * HOUR)
    simulation.until(lambda: False, 15 * MINUTE)
    assert {post.status for post in posts(simulation)} == {0}
    simulation.quiet()
    assert simulation.until(lambda: run_of(simulation).notice.over, HOUR)
    assert posts(simulation)[-1].status == 200


def test_a_webhook_that_is_named_after_the_end_is_told_how_it_ended(begin: Begin) -> None:
    simulation = begin("")
    assert simulation.until(lambda: at_rest(simulation), 2 * HOUR)
    simulation.until(lambda: False, HOUR)
    simulation.webhooks["acme"] = address("up", "acme")
    simulation.drop(CONFIG, b"")
    assert simulation.until(lambda: bool(posts(simulation)), HOUR)
    assert [post.document["type"] for post in posts(simulation)] == ["Droptune.RunLive"]
    simulation.until(lambda: False, HOUR)
    assert len(posts(simulation)) == 1
    assert len(simulation.world.jobs.all) == 1


def test_each_rest_is_told_and_a_rejected_file_too(begin: Begin) -> None:
    simulation = begin("up", contents.BAD)
    assert simulation.until(lambda: bool(posts(simulation)), HOUR)
    simulation.drop(PATH, contents.rows("failing"))
    assert simulation.until(lambda: len(posts(simulation)) == 2, 2 * HOUR)
    simulation.drop(PATH, contents.rows("two"))
    assert simulation.until(lambda: len(posts(simulation)) == 3, 2 * HOUR)
    simulation.drop(PATH, contents.rows("three"))
    assert simulation.until(lambda: len(posts(simulation)) == 5, 2 * HOUR)
    told = [post.document["type"].removeprefix("Droptune.") for post in posts(simulation)]
    assert told[:3] == ["UploadRejected", "RunFailed", "RunLive"]
    assert sorted(told[3:]) == ["RunLive", "RunSuperseded"]
    assert len({post.id for post in posts(simulation)}) == 5


def test_a_host_that_the_operator_takes_off_the_list_is_told_no_more(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulation = begin("up")
    assert simulation.until(lambda: bool(simulation.world.blobs.containers.get("runs")), HOUR, 1.0)
    monkeypatch.setenv("DROPTUNE_WEBHOOK_HOSTS", "other.example")
    settings.cache_clear()
    assert simulation.until(lambda: run_of(simulation).notice.over, 2 * HOUR)
    assert posts(simulation) == []
    assert "not on the operator's list" in run_of(simulation).timeline[-1].detail


def test_a_run_without_a_webhook_makes_no_call_for_one(begin: Begin) -> None:
    simulation = begin("")
    assert simulation.until(lambda: at_rest(simulation), 2 * HOUR)
    simulation.until(lambda: False, HOUR)
    assert posts(simulation) == [] and simulation.faults.reached["webhook post"] == 0
