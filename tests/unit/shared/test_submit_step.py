"""The step that submits: its gates in their order, the slot, and what is given back (invariants 34, 35, 46)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, cast

import msgspec
import pytest

from shared.azure import outside as where
from shared.azure.gateways import Outside
from shared.azure.seen import Component, Compute, Job, JobSpec, Model, Size, Usage
from shared.errors import ConflictError, DeniedError, DroptuneError, NotFoundError, RejectedError, TransientError
from shared.lifecycle import permissions
from shared.lifecycle.outcome import Again, Enter, Outcome
from shared.lifecycle.steps import submit as step
from shared.runs import slots, turns
from shared.runs.identity import TAG_RUN, job_name
from shared.runs.records import Run
from shared.settings import Settings
from shared.training import compute

SIZE = "Standard_NC24ads_A100_v4"
FAMILY = "standardNCADSA100v4Family"


class World:
    """All that the step calls, in one object; `calls` is what it called, `fails` what meets an error there."""

    def __init__(self) -> None:
        self.memory: dict[str, Any] = {}
        self.calls: list[str] = []
        self.fails: dict[str, Exception] = {}
        self.held: dict[str, Job] = {}
        self.blob: tuple[bytes, int] | None = None
        self.sent: list[str] = []
        self.free = 1000
        self.jobs = self.registry = self.blobs = self.queue = self
        self.computes, self.online = _Part(self, "compute"), _Part(self, "endpoint")

    def call(self, name: str) -> None:
        self.calls.append(name)
        if name in self.fails:
            raise self.fails[name]

    def model(self, name: str, version: str | None) -> Model:
        self.call("model")
        return Model("azureml://registries/azureml/models/tiny/versions/1", "tiny-random-chat", "1")

    def component(self, name: str) -> Component:
        return Component(None, "1", {"compute_finetune": {}})

    def sizes(self) -> list[Size]:
        return [Size(SIZE, FAMILY, 24, 1)]

    def find(self, name: str) -> Job | None:
        self.call(f"job {name}")
        return self.held.get(name)

    def submit(self, spec: JobSpec) -> Job:
        self.call("submit")
        self.held[spec.name] = Job(spec.name, "Running", dict(spec.tags))
        return self.held[spec.name]

    def read(self, container: str, path: str, most: int | None) -> tuple[bytes, str]:
        if self.blob is None:
            raise NotFoundError("none")
        return self.blob[0], str(self.blob[1])

    def write(self, container: str, path: str, data: bytes, *, if_match: str | None, **_: Any) -> str:
        self.call("slots")
        version = self.blob[1] if self.blob else 0
        if if_match is not None and if_match != str(version):
            raise ConflictError("changed")
        self.blob = (data, version + 1)
        return str(version + 1)

    def send(self, body: str, delay: float) -> None:
        self.sent.append(msgspec.json.decode(body)["id"])


class _Part:
    """Computes or endpoints, which have a `find` of their own."""

    def __init__(self, world: World, name: str) -> None:
        self._world, self._name = world, name

    def find(self, name: str) -> Compute | None:
        self._world.call(self._name)
        return Compute(name, SIZE, "succeeded", 1) if self._name == "compute" else None

    def sizes(self) -> list[Size]:
        self._world.call("sizes")
        return [Size(SIZE, FAMILY, 24, 1)]

    def usages(self) -> list[Usage]:
        self._world.call("usages")
        return [Usage(FAMILY, 0, self._world.free)]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    made, before = World(), where.outside()
    chosen = replace(Settings(), max_jobs=1)
    for module in (step, slots):
        monkeypatch.setattr(module, "settings", lambda: chosen)
    where.use(cast(Outside, made))
    yield made
    where.use(before)


def run(number: int = 1, attempt: int = 1, **config: Any) -> Run:
    dataset = {"snapshot": "acme/s", "modified": "x", "path": "acme/a.jsonl", "rows": 20, "tokens_estimate": 1000}
    return Run(
        id=f"acme-{number:010x}",
        name="acme",
        state="validated",
        attempt=attempt,
        base_model={"id": "azureml://registries/azureml/models/tiny-random-chat/versions/1"},
        dataset=dataset,
        config=config,
    )


def refusal(outcome: Outcome) -> Enter:
    assert isinstance(outcome, Enter)
    assert outcome.state == "refused"
    assert outcome.fix
    return outcome


def test_the_gates_come_before_the_slot_and_the_slot_before_the_job(world: World) -> None:
    outcome = step.submit(run())
    assert isinstance(outcome, Enter)
    assert outcome.state == "submitted"
    order = [world.calls.index(name) for name in ("endpoint", "compute", "usages", "slots", "submit")]
    assert order == sorted(order)
    assert world.calls.count("submit") == 1


def test_the_one_that_finds_no_slot_waits_and_costs_nothing(world: World) -> None:
    first, second = run(1), run(2)
    step.submit(first)
    outcome = step.submit(second)
    assert outcome == Again(Settings().watch, changed=True)
    assert second.timeline == []
    assert second.reason.startswith("waiting")
    assert step.submit(second) == Again(Settings().watch, changed=False)
    assert world.calls.count("submit") == 1
    assert slots.give_back(first.id, 1) == [second.id]
    assert isinstance(step.submit(second), Enter)


def test_a_job_that_is_refused_gives_its_slot_to_the_next_who_is_told(world: World) -> None:
    first, second = run(1), run(2)
    slots.take(first.id, "acme")
    slots.take(second.id, "acme")
    world.fails["submit"] = RejectedError("the pipeline says no", "mend it", 400)
    refusal(step.submit(first))
    assert world.sent == [second.id]
    assert [entry.run for entry in slots.look().running] == [second.id]


def test_a_passing_fault_keeps_the_slot_for_the_next_try(world: World) -> None:
    world.fails["submit"] = TransientError("busy", status=503)
    with pytest.raises(TransientError):
        step.submit(run())
    assert slots.look().holds(run().id)


def test_a_missing_role_refuses_with_its_name_before_anything_is_made(world: World) -> None:
    world.fails["endpoint"] = DeniedError("could not look: no", "", 403)
    told = refusal(step.submit(run()))
    assert "AzureML Data Scientist" in told.fix
    assert not {"compute", "slots", "submit"} & set(world.calls)


def test_a_role_that_may_only_read_is_told_by_the_submission(world: World) -> None:
    world.fails["submit"] = DeniedError("could not submit: no", "", 403)
    assert "workspaces/jobs" in refusal(step.submit(run())).fix
    assert slots.look() == turns.Turns()


def test_a_token_that_is_not_believed_refuses_nobody(world: World) -> None:
    world.fails["endpoint"] = DeniedError("could not look: who?", "", 401)
    with pytest.raises(DeniedError):
        step.submit(run())


def test_missing_quota_refuses_and_takes_no_slot(world: World) -> None:
    world.free = 23
    assert "1 are missing" in refusal(step.submit(run())).reason
    assert not {"slots", "submit"} & set(world.calls)


def test_quota_that_may_not_be_seen_is_a_word_in_the_timeline(world: World) -> None:
    world.fails["usages"] = DeniedError("could not list: no", "", 403)
    outcome = step.submit(run())
    assert isinstance(outcome, Enter)
    assert outcome.state == "submitted"
    assert "quota was not checked" in outcome.detail


def test_over_budget_takes_no_slot(world: World) -> None:
    assert "budget" in refusal(step.submit(run(budget={"max_cost_usd": 0.0001}))).reason
    assert "slots" not in world.calls


def test_so_many_attempts_and_no_more(world: World) -> None:
    assert "5 attempts" in refusal(step.submit(run(attempt=6))).reason
    assert "submit" not in world.calls


def test_a_job_that_was_submitted_before_a_kill_is_adopted_whatever_the_gates_say_now(world: World) -> None:
    killed = run()
    step.submit(killed)
    slots.give_back(killed.id)
    slots.take("other-0000000001", "other")
    world.free, world.fails["endpoint"] = 0, DeniedError("no", "", 403)
    outcome = step.submit(killed)
    assert isinstance(outcome, Enter)
    assert outcome.state == "submitted"
    assert world.calls.count("submit") == 1


def test_a_strangers_job_of_our_name_is_never_adopted(world: World) -> None:
    name = job_name(run().id, 1)
    world.held[name] = Job(name, "Running", {TAG_RUN: "somebody"})
    assert "not ours" in refusal(step.submit(run())).reason
    assert slots.look() == turns.Turns()
    assert world.held[name].status == "Running"


def test_the_cluster_that_may_not_be_made_names_the_operators_role(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(*_: Any) -> None:
        raise DeniedError("could not make the compute: no", "", 403)

    monkeypatch.setattr(_Part, "find", lambda self, name: None)
    monkeypatch.setattr(_Part, "start", denied, raising=False)
    fix = refusal(step.submit(run())).fix
    assert "AzureML Compute Operator" in fix
    assert "`azd provision` makes the cluster once there is quota" in fix


def test_gpus_are_known_by_the_sizes_name_where_sizes_may_not_be_seen(world: World) -> None:
    world.fails["sizes"] = DeniedError("could not list: no", "", 403)
    outcome = step.submit(run())
    assert isinstance(outcome, Enter)
    assert outcome.state == "submitted"
    assert compute._gpus(SIZE) == 1
    assert permissions.NOBODY in " ".join(world.calls)


def test_every_refusal_is_an_error_that_people_can_be_told() -> None:
    assert all(issubclass(kind, DroptuneError) for kind in step._REFUSALS)
