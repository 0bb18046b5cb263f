"""A new model's way to its traffic: gated out by its answers, by a canary's steps, back by itself, back by hand.

Production code in the simulated world: a client asks all the time, and no answer of its may fail once a model is live.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from shared.endpoints.scoring import ScoringError
from shared.lifecycle import rollback, views
from shared.lifecycle.steps import evaluate
from shared.runs import store
from shared.runs.records import Run
from shared.settings import settings
from tests.simulation import contents
from tests.simulation.outside.online import FakeDeployment, FakeEndpoint
from tests.simulation.setting import production
from tests.simulation.story import HOUR, Simulation

FIRST, SECOND = "acme/first.jsonl", "acme/second.jsonl"
CANARY = b"[deploy]\ncanary = [10, 50, 100]\n"


class Story:
    """A folder whose first run is live, asked by a client every half a minute."""

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation
        self.online = simulation.world.online
        self.traffic: list[dict[str, int]] = []
        self.left: list[tuple[str, dict[str, int]]] = []
        self.online.heard.append(self._heard)
        self.asking = False
        simulation.checker.history.backs.add("acme")

    def roll_back(self) -> None:
        """Somebody asks for it, as over HTTP."""
        answers: list[Any] = []
        self.simulation.platform.request("rollback acme", lambda: rollback.rollback("acme"), answers.append)
        self.until(lambda: bool(answers), 60)
        assert isinstance(answers[0], dict), answers

    def _heard(self, what: str, about: Any) -> None:
        if what == "deployment deleting":
            self.left.append((about.name, dict(self.online.endpoints[about.endpoint].traffic)))
        if what == "traffic" and isinstance(about, FakeEndpoint):
            self.traffic.append({**about.traffic, **{f"mirror {name}": share for name, share in about.mirror.items()}})

    def drop(self, path: str, subject: str, config: bytes = b"") -> Run:
        """Uploads, and waits for the run's end."""
        before = {run.id for run in store.all_of("run")}
        if config:
            self.simulation.drop("acme/droptune.toml", config)
        self.simulation.drop(path, contents.rows(subject))
        self.until(lambda: any(run.id not in before for run in store.all_of("run")), HOUR)
        run = next(run for run in store.all_of("run") if run.id not in before)
        return self.ended(run.id)

    def ended(self, run: str) -> Run:
        rests = ("live", "gated_out", "rolled_back", "failed", "superseded", "refused")
        self.until(lambda: store.load("run", run).record.state in rests, 6 * HOUR)
        found: Run = store.load("run", run).record
        return found

    def ask_all_the_time(self, each: float = 30.0) -> None:
        self.asking = True
        self._ask(each)

    def _ask(self, each: float) -> None:
        if self.asking:
            self.simulation.ask("acme")
            self.simulation.kernel.after(each, lambda: self._ask(each))

    def until(self, true: Callable[[], bool], most: float) -> None:
        assert self.simulation.until(true, most, 20.0), "it did not come true"

    def pass_(self, seconds: float) -> None:
        self.simulation.until(lambda: False, seconds, 20.0)

    @property
    def failed_answers(self) -> list[Any]:
        return [result for _, _, result in self.simulation.answers if isinstance(result, ScoringError)]

    @property
    def standing(self) -> list[str]:
        return [name for endpoint in self.online.endpoints.values() for name in endpoint.deployments]

    def of(self, run: Run) -> Callable[[FakeDeployment], bool]:
        return lambda made: made.tags["droptune-run"] == run.id


@pytest.fixture
def story(monkeypatch: pytest.MonkeyPatch) -> Iterator[Story]:
    with production() as belongs_to:
        monkeypatch.setenv("DROPTUNE_CANARY_HOLD", "5m")
        monkeypatch.setenv("DROPTUNE_IDLE_AFTER", "0")
        settings.cache_clear()
        simulation = Simulation(7)
        belongs_to(simulation.world)
        yield Story(simulation)


def test_a_good_canary_gets_its_traffic_by_steps_and_the_old_one_leaves_after(story: Story) -> None:
    first = story.drop(FIRST, "one")
    story.ask_all_the_time()
    second = story.drop(SECOND, "two", CANARY)
    assert (first.state, second.state) == ("live", "live")
    old, new = (str(run.endpoint["deployment"]) for run in (first, second))
    assert story.traffic[1:] == [{old: 90, new: 10}, {old: 50, new: 50}, {new: 100}]
    story.until(lambda: story.standing == [new], HOUR)
    assert story.left == [(old, {new: 100})], "it leaves after the new one has answered at 100 per cent"
    assert store.load("run", first.id).record.state == "superseded"
    assert story.failed_answers == []
    assert second.rollout == {} and second.endpoint["traffic"] == 100


def test_mirrored_traffic_comes_first_and_ends_before_the_canary(story: Story) -> None:
    first = story.drop(FIRST, "one")
    second = story.drop(SECOND, "two", b"[deploy]\ncanary = [50]\nmirror = 20\n")
    old, new = (str(run.endpoint["deployment"]) for run in (first, second))
    assert story.traffic[1:] == [{old: 100, f"mirror {new}": 20}, {old: 50, new: 50}, {new: 100}]
    assert second.state == "live"


@pytest.mark.parametrize("share", [10, 50, 100])
def test_a_canary_that_turns_bad_goes_back_by_itself_and_no_caller_sees_it(story: Story, share: int) -> None:
    first = story.drop(FIRST, "one")
    story.ask_all_the_time(5.0)
    bad: list[str] = []

    def breaks(made: FakeDeployment) -> bool:
        shares = story.online.endpoints[made.endpoint].traffic
        return made.tags["droptune-run"] != first.id and shares.get(made.name, 0) >= share

    story.online.takes.breaks = breaks
    second = story.drop(SECOND, "two", CANARY)
    assert second.state == "rolled_back", second.reason
    assert f"at {share} % of traffic" in second.reason and "failed" in second.reason
    old = str(first.endpoint["deployment"])
    story.until(lambda: story.standing == [old], HOUR)
    assert story.traffic[-1] == {old: 100}
    assert store.load("run", first.id).record.state == "live"
    assert store.load("endpoint", "acme").record.deploying == ""
    assert story.failed_answers == [] and bad == []
    assert story.simulation.report(SECOND)["state"] == "rolled_back"


def _says(good: Run | None) -> Callable[[FakeDeployment], bytes]:
    return lambda made: b'"one answer 3"' if good and made.tags["droptune-run"] == good.id else b'"nothing of it"'


def test_a_model_that_is_not_better_than_the_live_one_is_gated_out_and_the_old_one_serves(story: Story) -> None:
    first = story.drop(FIRST, "one")
    story.ask_all_the_time()
    story.online.takes.says = _says(first)
    second = story.drop(SECOND, "two", b"[gate]\nbetter_than_live = true\n")
    assert second.state == "gated_out"
    assert "not better than the live model" in second.reason
    found = views.run_json(second, None)["evaluation"]
    assert found["comparison"]["other"] > found["comparison"]["new"] and found["rows"] == found["new"]["rows"] > 0
    old = str(first.endpoint["deployment"])
    story.until(lambda: story.standing == [old], HOUR)
    assert story.traffic == [{old: 100}], "it never had any traffic"
    model = story.simulation.world.models.all[second.model["name"], second.model["version"]][0]
    assert model.tags["droptune-gate"].startswith("gated_out: it is not better")
    report = story.simulation.report(SECOND)
    assert report["state"] == "gated_out"
    assert [worst["answer"] for worst in report["evaluation"]["worst"]] == ["nothing of it"] * 5
    assert {worst["other"] for worst in report["evaluation"]["worst"]} == {"one answer 3"}
    assert story.failed_answers == []


def test_a_live_model_that_answers_no_more_does_not_keep_a_new_one_away(story: Story) -> None:
    first = story.drop(FIRST, "one")
    story.online.takes.down = story.of(first)
    second = story.drop(SECOND, "two", b"[gate]\nbetter_than_live = true\n")
    assert second.state == "live", second.reason
    asked = views.run_json(second, None)["evaluation"]
    assert asked["other"]["empty"] == 1.0 and asked["comparison"]["rows"] == asked["rows"] > 0
    story.until(lambda: story.standing == [str(second.endpoint["deployment"])], HOUR)


def test_a_new_model_that_never_answers_fails_within_the_hour_and_leaves(story: Story) -> None:
    first = story.drop(FIRST, "one")
    story.online.takes.down = lambda made: made.tags["droptune-run"] != first.id
    began = story.simulation.kernel.now
    second = story.drop(SECOND, "two")
    assert second.state == "failed" and "is not ready: HTTP 424 503" in second.reason
    assert story.simulation.kernel.now - began < 2 * HOUR
    story.until(lambda: story.standing == [str(first.endpoint["deployment"])], HOUR)


def test_the_first_model_passes_better_than_live_since_nothing_is_live(story: Story) -> None:
    assert story.drop(FIRST, "one", b"[gate]\nbetter_than_live = true\n").state == "live"


def test_a_sleeping_model_is_woken_to_be_compared(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DROPTUNE_IDLE_AFTER", "20m")
    settings.cache_clear()
    first = story.drop(FIRST, "one")
    story.until(lambda: store.load("endpoint", "acme").record.state == "asleep", 3 * HOUR)
    story.online.takes.says = _says(first)
    second = story.drop(SECOND, "two", b"[gate]\nbetter_than_live = true\n")
    assert (second.state, second.evaluation["beside"]["what"]) == ("gated_out", "live")
    story.until(lambda: story.standing == [], 3 * HOUR)


def test_answers_below_the_gate_keep_a_model_from_its_traffic(story: Story) -> None:
    story.online.takes.says = lambda made: b'""'
    run = story.drop(FIRST, "one", b"[gate]\nempty_at_most = 0.1\n")
    assert (run.state, run.reason) == ("gated_out", "empty 1 over 3 test rows is above the gate's 0.1")
    story.until(lambda: story.standing == [], HOUR)
    assert story.traffic == []


def test_a_rollback_brings_the_model_before_back_by_a_redeploy(story: Story) -> None:
    first = story.drop(FIRST, "one")
    second = story.drop(SECOND, "two")
    story.until(lambda: story.standing == [second.endpoint["deployment"]], HOUR)
    story.ask_all_the_time()
    story.roll_back()
    again = story.ended(first.id)
    assert again.state == "live"
    story.until(lambda: store.load("run", second.id).record.state == "rolled_back", HOUR)
    story.until(lambda: len(story.standing) == 1, HOUR)
    assert [made.tags["droptune-run"] for made in story.online.ever][-1] == first.id
    assert story.failed_answers == []
    third = story.drop("acme/third.jsonl", "three")
    assert third.state == "live", "whatever is dropped next is newer than what was rolled back to"


def test_a_rollback_is_one_step_while_the_old_deployment_stands(story: Story) -> None:
    first = story.drop(FIRST, "one")
    story.online.takes.deletion = 3600.0
    hold = story.online.delete_deployment
    story.online.delete_deployment = lambda endpoint, name: None  # type: ignore[method-assign]
    story.drop(SECOND, "two")
    made = len(story.online.ever)
    story.roll_back()
    story.online.delete_deployment = hold  # type: ignore[method-assign]
    assert story.ended(first.id).state == "live"
    assert len(story.online.ever) == made, "nothing was deployed anew"
    assert story.traffic[-1] == {first.endpoint["deployment"]: 100}


def test_a_rollback_gives_up_a_rollout_that_is_under_way(story: Story) -> None:
    first = story.drop(FIRST, "one")
    story.ask_all_the_time()
    story.simulation.drop("acme/droptune.toml", CANARY)
    story.simulation.drop(SECOND, contents.rows("two"))
    story.until(lambda: bool(story.traffic[1:]), 3 * HOUR)
    story.roll_back()
    old = str(first.endpoint["deployment"])
    story.until(lambda: story.standing == [old], HOUR)
    second = next(run for run in store.all_of("run") if run.id != first.id)
    assert (second.state, second.reason) == ("rolled_back", "rolled back by hand")
    assert story.traffic[-1] == {old: 100}
    assert story.failed_answers == []


def test_what_passes_by_itself_is_deployed_again_and_what_does_not_is_told(story: Story) -> None:
    causes = {"code": "InternalServerError", "times": 1}
    real = story.online.failure

    def failure(operation: str) -> tuple[str, str]:
        return (causes["code"], "Azure said so.") if real(operation)[0] else ("", "")

    story.online.failure = failure  # type: ignore[method-assign]
    story.online.takes.fails = lambda made: len(story.online.ever) <= causes["times"]
    first = story.drop(FIRST, "one")
    assert first.state == "live" and len(story.online.ever) == 2
    story.until(lambda: story.standing == [first.endpoint["deployment"]], HOUR)
    causes |= {"code": "OutOfQuota", "times": 99}
    second = story.drop(SECOND, "two")
    assert second.state == "failed" and len(story.online.ever) == 3
    assert "no quota left" in second.reason and "(OutOfQuota: Azure said so)" in second.reason
    assert "its log ends: OutOfMemoryError" in second.reason and "instance_type" in second.fix
    story.until(lambda: story.standing == [first.endpoint["deployment"]], HOUR)


def test_rows_are_answered_in_pieces_and_none_is_asked_twice(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluate, "PIECE_SECONDS", 0.0)
    asked: list[str] = []
    told: list[int] = []

    def heard(what: str, about: Any) -> None:
        if what == "probed":
            asked.append(about.name)
            told.append(len(store.all_of("run")[0].evaluation.get("new", [])))

    story.online.heard.append(heard)
    run = story.drop(FIRST, "one")
    rows = run.evaluation["rows"]
    assert run.state == "live" and rows == len(run.evaluation["new"]) > 1
    assert len(asked) == 1 + rows, "one row is asked at first, to see that it answers at all"
    assert told[1:] == list(range(rows)), "each piece is in the record before the next one begins"


@pytest.mark.parametrize(("gate", "state"), [(b"", "live"), (b"[gate]\nchrf_at_least = 1.0\n", "gated_out")])
def test_a_snapshot_that_aged_out_keeps_no_endpoint_from_coming_up(story: Story, gate: bytes, state: str) -> None:
    def heard(what: str, about: Any) -> None:
        if what == "deployment made":
            story.simulation.world.blobs.containers["snapshots"].clear()

    story.online.heard.append(heard)
    run = story.drop(FIRST, "one", gate)
    assert (run.state, run.evaluation["rows"]) == (state, 0)
    assert state == "live" or "there is no test row to ask" in run.reason
