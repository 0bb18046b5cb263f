"""Days of an endpoint in simulated time: a learnt window, office hours, a hard end, and somebody who keeps it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from shared.idle.pauses import bin_of
from shared.runs.records import Endpoint, Run
from shared.settings import settings
from tests.simulation import contents
from tests.simulation.kernel import EPOCH  # a Friday, 08:00 UTC
from tests.simulation.platform import Profile
from tests.simulation.setting import IDLE, LAG, production
from tests.simulation.story import HOUR, Simulation

DAY, MINUTE = 24 * HOUR, 60.0
PATH = "acme/chats.jsonl"
Begin = Callable[..., Simulation]


@pytest.fixture
def begin(monkeypatch: pytest.MonkeyPatch) -> Iterator[Begin]:
    """A live endpoint of a dataset whose `[deploy]` says what is given."""
    with production(stubbed=True) as belongs:

        def begun(deploy: str, seed: int = 7, profile: Profile | None = None) -> Simulation:
            simulation = Simulation(seed, profile or Profile())
            monkeypatch.setattr("tests.simulation.checks.money.IDLE", 0.0)  # the judge knows one fixed window only
            belongs(simulation.world)
            simulation.drop("acme/droptune.toml", f"[deploy]\n{deploy}\n".encode())
            simulation.drop(PATH, contents.rows("one"))
            assert simulation.until(lambda: standing(simulation) and record(simulation).state == "awake", 6 * HOUR)
            return simulation

        yield begun


def record(simulation: Simulation) -> Endpoint:
    found = simulation.world.blobs.containers.get("endpoints", {}).get("acme.json")
    return (
        msgspec.json.decode(found.data, type=Endpoint)
        if found
        else Endpoint(id="", name="", state="", endpoint_name="")
    )


def run_of(simulation: Simulation) -> Run:
    found = next(iter(simulation.world.blobs.containers["runs"].values()))
    return msgspec.json.decode(found.data, type=Run)


def standing(simulation: Simulation) -> bool:
    return any(endpoint.deployments for endpoint in simulation.world.online.endpoints.values())


def to(simulation: Simulation, moment: str) -> None:
    simulation.kernel.run(datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp())


def asleep_after(simulation: Simulation) -> float:
    """Seconds from a request until the deployment is gone."""
    began = simulation.kernel.now
    assert simulation.until(lambda: not standing(simulation), DAY, each=10.0)
    return simulation.kernel.now - began


def ask_until_answered(simulation: Simulation) -> None:
    for _ in range(200):
        simulation.ask("acme")
        simulation.until(lambda: False, 30)
        if isinstance(simulation.answers[-1][2], bytes):
            return
    raise AssertionError("no answer")


def published(simulation: Simulation, kind: str) -> list[tuple[float, dict[str, Any]]]:
    return [(at, data) for at, name, _, data in simulation.world.topics.published if name == f"Droptune.{kind}"]


def test_an_endpoint_that_is_asked_once_a_day_learns_to_sleep_sooner(begin: Begin) -> None:
    simulation = begin('idle_after = "auto"')
    first = asleep_after(simulation)
    for _ in range(5):
        simulation.until(lambda: False, DAY)
        ask_until_answered(simulation)
        last = asleep_after(simulation)
    found = record(simulation)
    assert found.learns and found.pauses.total > 4
    assert last < LAG + 10 * MINUTE < first <= IDLE + LAG + 10 * MINUTE


def test_an_endpoint_whose_pauses_are_shorter_than_a_wake_up_costs_stays_awake_whoever_asks(begin: Begin) -> None:
    simulation = begin('idle_after = "auto"')
    for step in range(40):
        simulation.ask_directly("acme") if step % 2 else simulation.ask("acme")
        simulation.until(lambda: False, 8 * MINUTE)
    assert all(isinstance(answer, bytes) for _, _, answer in simulation.answers)
    found = record(simulation)
    assert len([moment for moment in found.timeline if moment.state == "asleep"]) == 1  # as it was made
    assert found.pauses.total > 20
    assert max(found.pauses.weights) <= bin_of(10 * MINUTE)  # the requests of others shorten the pauses too


def test_office_hours_keep_it_awake_and_wake_it_and_a_weekend_lets_it_sleep(begin: Begin) -> None:
    simulation = begin('awake = "Mon-Fri 09:00-18:00 Europe/Berlin"')
    to(simulation, "2027-01-15T16:59")
    assert standing(simulation)
    to(simulation, "2027-01-15T18:00")
    assert record(simulation).state == "asleep"
    to(simulation, "2027-01-18T07:58")
    assert not standing(simulation)
    to(simulation, "2027-01-18T08:40")
    assert record(simulation).state == "awake"
    assert any(moment.detail == "its hours began" for moment in record(simulation).timeline)
    to(simulation, "2027-01-18T16:55")
    assert record(simulation).state == "awake"


def test_whom_somebody_put_to_sleep_in_its_hours_is_not_woken_by_them_again_that_day(begin: Begin) -> None:
    simulation = begin('awake = "Mon-Sat 09:00-17:00 Europe/Berlin"')
    to(simulation, "2027-01-15T12:00")
    simulation.command("sleep", "acme")
    to(simulation, "2027-01-15T17:30")
    assert record(simulation).state == "asleep"
    to(simulation, "2027-01-16T08:40")
    assert record(simulation).state == "awake"


def test_a_hard_end_is_told_before_and_takes_all_but_the_model(begin: Begin) -> None:
    simulation = begin('delete_after = "2d"')
    ends = datetime.fromisoformat(record(simulation).ends).timestamp()
    simulation.kernel.run(ends - 1)
    assert simulation.world.online.endpoints
    warnings = published(simulation, "EndpointDeletedSoon")
    assert len(warnings) == 1 and 8 * HOUR < ends - warnings[0][0] < 10 * HOUR
    simulation.kernel.run(ends + 2 * HOUR)
    assert not simulation.world.online.endpoints
    assert (record(simulation).state, run_of(simulation).state) == ("absent", "cancelled")
    assert "delete_after" in run_of(simulation).reason
    assert all(entry.until for entry in record(simulation).billed)
    assert simulation.world.models.all


def test_an_end_that_comes_while_it_is_used_is_an_end_all_the_same(begin: Begin) -> None:
    simulation = begin('delete_after = "3h"')
    for _ in range(24):
        simulation.ask("acme")
        simulation.until(lambda: False, 10 * MINUTE)
    assert not simulation.world.online.endpoints
    assert record(simulation).state == "absent"


def test_the_same_folder_dropped_anew_after_the_end_has_an_endpoint_of_the_same_name_again(begin: Begin) -> None:
    simulation = begin('delete_after = "3h"')
    place = record(simulation).endpoint_name
    assert simulation.until(lambda: record(simulation).state == "absent", 6 * HOUR)
    simulation.drop("acme/more.jsonl", contents.rows("two"))
    assert simulation.until(lambda: record(simulation).state == "awake", 6 * HOUR)
    assert list(simulation.world.online.endpoints) == [place]
    assert record(simulation).ends > record(simulation).awake_since


def test_a_warning_comes_before_it_sleeps_once_and_keep_answers_it(begin: Begin) -> None:
    simulation = begin("")
    assert simulation.until(lambda: bool(published(simulation, "EndpointFallsAsleepSoon")), HOUR)
    assert standing(simulation)
    simulation.command("keep", "acme")
    simulation.until(lambda: False, 7.9 * HOUR)
    assert standing(simulation)
    assert len(published(simulation, "EndpointFallsAsleepSoon")) == 1
    simulation.until(lambda: False, HOUR)
    assert not standing(simulation)
    told = [moment.detail for moment in record(simulation).timeline if "keeps it awake" in moment.detail]
    assert 1 <= len(told) <= 2


def test_nobody_is_warned_while_others_ask_the_endpoint_directly(begin: Begin) -> None:
    simulation = begin("")
    for _ in range(18):
        simulation.ask_directly("acme")
        simulation.until(lambda: False, 10 * MINUTE)
    assert standing(simulation)
    assert not published(simulation, "EndpointFallsAsleepSoon")


def test_an_end_is_told_once_however_often_it_is_told_that_it_sleeps(begin: Begin) -> None:
    simulation = begin('delete_after = "6h"')
    ends = datetime.fromisoformat(record(simulation).ends).timestamp()
    while simulation.kernel.now < ends - 60:
        simulation.ask("acme")
        simulation.until(lambda: False, min(20 * MINUTE, ends - 60 - simulation.kernel.now))
    assert len(published(simulation, "EndpointFallsAsleepSoon")) > 3
    assert len(published(simulation, "EndpointDeletedSoon")) == 1


def test_pauses_are_learnt_in_office_hours_too(begin: Begin) -> None:
    simulation = begin('idle_after = "auto"\nawake = "Fri 09:00-20:00 Europe/Berlin"')
    while simulation.kernel.now < EPOCH + 10 * HOUR:
        simulation.ask_directly("acme")
        simulation.until(lambda: False, 8 * MINUTE)
    simulation.until(lambda: False, HOUR)
    found = record(simulation)
    assert found.pauses.total > 20
    assert max(found.pauses.weights) <= bin_of(10 * MINUTE)


def test_keep_puts_an_end_off_by_its_whole_time(begin: Begin) -> None:
    simulation = begin('delete_after = "1d"')
    before = datetime.fromisoformat(record(simulation).ends).timestamp()
    simulation.kernel.run(before - HOUR)
    simulation.command("keep", "acme")
    simulation.kernel.run(before + 20 * HOUR)
    assert simulation.world.online.endpoints
    simulation.kernel.run(before + 25 * HOUR)
    assert not simulation.world.online.endpoints
    assert len(published(simulation, "EndpointDeletedSoon")) == 2


@pytest.mark.parametrize("seed", range(12))
def test_an_end_comes_whatever_is_lost_doubled_or_late(begin: Begin, seed: int) -> None:
    profile = Profile(
        hosts=2, events_lost=0.3, messages_lost=0.3, ticks_lost=0.3, ticks_doubled=0.3, ticks_late=0.3, deaf=True
    )
    simulation = begin('delete_after = "3h"\nawake = "Fri 09:00-18:00 Europe/Berlin"', seed, profile)
    assert simulation.until(lambda: record(simulation).state == "absent", 9 * HOUR)
    assert simulation.until(lambda: run_of(simulation).state == "cancelled", HOUR)
    assert not simulation.world.online.endpoints
    assert all(entry.until for entry in record(simulation).billed)


@pytest.mark.parametrize("part", [0.05, 0.35, 0.65, 0.95])
def test_who_puts_it_to_sleep_right_after_a_use_is_obeyed(begin: Begin, part: float) -> None:
    simulation = begin("")
    simulation.kernel.run(int(simulation.kernel.now) + 60 + part)
    simulation.ask("acme")
    assert simulation.until(lambda: bool(simulation.answers), 5, each=0.01)
    assert isinstance(simulation.answers[-1][2], bytes)
    simulation.command("sleep", "acme")
    assert simulation.until(lambda: record(simulation).state == "asleep", 10 * MINUTE, each=1.0)
    assert [moment.state for moment in record(simulation).timeline[-3:]] == ["awake", "falling_asleep", "asleep"]


def test_where_nothing_is_kept_asleep_the_endpoint_goes_too_and_comes_back_with_its_model(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulation = begin("")
    monkeypatch.setenv("DROPTUNE_ASLEEP_KEEPS", "nothing")
    settings.cache_clear()
    assert simulation.until(lambda: record(simulation).state == "asleep", 2 * HOUR)
    assert not simulation.world.online.endpoints
    ask_until_answered(simulation)
    assert list(simulation.world.online.endpoints) == [record(simulation).endpoint_name]


def test_an_endpoint_of_others_that_bills_is_told_once_left_alone_and_told_no_more_when_it_is_gone(
    begin: Begin,
) -> None:
    simulation = begin("")
    simulation.plant_foreign("")
    simulation.until(lambda: False, 3 * HOUR)
    told = [data for _, data in published(simulation, "Problem") if data["kind"] == "foreign"]
    assert [problem["subject"] for problem in told] == ["other-team"]
    assert "theirs (Standard_DS3_v2)" in told[0]["reason"]
    assert simulation.world.online.endpoints["other-team"].deployments
    kept = [path for path in simulation.world.blobs.containers["active"] if path.startswith("_problems/foreign")]
    simulation.world.online.endpoints["other-team"].deployments.clear()
    simulation.until(lambda: False, 2 * HOUR)
    assert len(kept) == 1 and kept[0] not in simulation.world.blobs.containers["active"]


def test_friday_is_the_day_on_which_simulations_begin() -> None:
    assert datetime.fromtimestamp(EPOCH, UTC).strftime("%a %H:%M") == "Fri 08:00"
