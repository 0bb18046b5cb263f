"""Planted bugs: production code with one thing wrong; the checker must catch each in a bounded number of schedules."""

from __future__ import annotations

import multiprocessing
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from shared import clock
from shared.azure import blobs
from shared.azure.outside import outside
from shared.azure.seen import Job
from shared.endpoints import deployments, idle, rollout, usage
from shared.errors import ConflictError, ServiceError, TransientError
from shared.lifecycle import advance, news, notify, reconcile, snapshots, step, sweep, telling, views
from shared.lifecycle.steps import evaluate, go_live, sleep
from shared.lifecycle.table import STEPS
from shared.models import registration
from shared.runs import identity, store
from shared.runs.records import Notice
from shared.training import pipeline, quota
from tests.simulation.outside.online import CANARY
from tests.simulation.schedules import run
from tests.simulation.setting import production

MOST = 2400
Change = tuple[Any, str, Any]  # an object or a dict, a name in it, and what stands there instead


@dataclass(frozen=True)
class Caught:
    """By which seed a planted bug was caught, and what was said of it."""

    name: str
    seed: int
    told: str


def _unconditional(self: Any, path: str, data: bytes, **more: Any) -> str:
    create = more.get("create", False)
    return outside().blobs.write(self.name, path, data, if_match=None, create=create, content_type="")


def _made_over(self: Any, path: str, data: bytes, **more: Any) -> str:
    return outside().blobs.write(self.name, path, data, if_match=more.get("if_match"), create=False, content_type="")


def _overwritten(loaded: Any) -> None:
    try:
        _save(loaded)
    except ConflictError:
        kind, record = store.kind_of(loaded.record), loaded.record
        loaded.etag = store.container(kind).read(f"{record.id}.json")[1]
        _save(loaded)


_save, _endpoint, _deployment, _take_down = (
    store.save,
    deployments.find_endpoint,
    deployments.find_deployment,
    rollout.take_down,
)
_job_name, _deployment_name, _run_id, _find_job = (
    identity.job_name,
    identity.deployment_name,
    identity.run_id,
    pipeline.find,
)
_submit, _event, _requests, _container_now = pipeline.submit, views.event, usage.requests_by_minute, blobs.Container.now
_look = advance._look
_deploy, _go_live = STEPS["run"]["registered"], STEPS["run"]["deploying"]
_numbers = count(1)


def _submitted_again(wanted: Any, run: str) -> Job:
    try:
        return _submit(wanted, run)
    except TransientError:
        return outside().jobs.submit(replace(wanted, name=f"{wanted.name}-again"))


def _older_wins(run: Any) -> Any:
    loaded = store.find("endpoint", run.name)
    if loaded is not None and loaded.record.newest > str(run.dataset["modified"]):
        loaded.record.newest = ""
        store.save(loaded)
    return _deploy(run)


def _old_first(run: Any) -> Any:
    loaded = store.find("endpoint", run.name)
    if loaded is not None and loaded.record.deployment and loaded.record.run != run.id:
        _take_down(loaded.record.endpoint_name, run.name, loaded.record.deployment)
    return _go_live(run)


def _any_end_is_good(name: str) -> Job | None:
    job = _find_job(name)
    return replace(job, status="Completed", outputs=(registration.OUTPUT,)) if job and job.ended else job


def _any_endpoint(endpoint: str, name: str) -> Any:
    return outside().online.find(endpoint)


def _not_verified(endpoint: str, name: str, deployment: str, run: str = "", heir: str = "") -> bool:
    try:
        _take_down(endpoint, name, deployment, run)
    except ServiceError:
        pass
    return True


def _unknown_is_idle(endpoint: str, since: Any, until: Any) -> dict[str, float]:
    try:
        return _requests(endpoint, since, until)
    except ServiceError:
        return {}


def _unread(endpoint: str, since: Any, until: Any) -> dict[str, float]:
    return {}


def _registered(job: Job, name: str, version: str, run: str, tags: dict[str, str]) -> Any:
    found = registration.find(name, version)
    path = f"azureml://jobs/{job.name}/outputs/{registration.OUTPUT}"
    return found or outside().models.register(name, version, path, "", {identity.TAG_RUN: run, **tags})


MUTANTS: dict[str, list[Change]] = {
    "records are written without If-Match": [(blobs.Container, "write", _unconditional)],
    "records are made over what is there": [(blobs.Container, "write", _made_over)],
    "after a conflict the record is written over": [(store, "save", _overwritten)],
    "the job's name is another each time": [
        (identity, "job_name", lambda run, n: f"{_job_name(run, n)}{next(_numbers):04d}")
    ],
    "a submission is sent again after a time-out, under another name": [(pipeline, "submit", _submitted_again)],
    "the deployment's name is another each time": [
        (identity, "deployment_name", lambda run, n: f"r-{run[-4:]}-{next(_numbers)}"),
        (
            deployments,
            "find_deployment",
            lambda endpoint, name, run="": None if next(_numbers) % 3 == 0 else _deployment(endpoint, name, run),
        ),
    ],
    "a deployment is made before it is recorded": [(go_live, "open_interval", lambda *_: False)],
    "no second look before the deletion": [(sleep, "_wanted", lambda record: False)],
    "idle or not, it falls asleep": [(idle, "is_idle", lambda *seen: True)],
    "a deletion is not verified": [(rollout, "take_down", _not_verified)],
    "a metric that cannot be read means idle": [(usage, "requests_by_minute", _unknown_is_idle)],
    "only our own requests count as use": [(usage, "requests_by_minute", _unread)],
    "a foreign endpoint is taken for ours": [(deployments, "find_endpoint", _any_endpoint)],
    "the older upload wins": [(STEPS["run"], "registered", _older_wins)],
    "the old deployment goes first": [(STEPS["run"], "deploying", _old_first)],
    "no marker is written": [(store, "mark_active", lambda kind, identity: None)],
    "no report is written": [(telling, "report", lambda record, *more: None)],
    "clocks of two machines are compared": [(blobs.Container, "now", lambda self: clock.now())],
    "any end of a job is a good one": [(pipeline, "find", _any_end_is_good)],
    "the output is not looked for": [(registration, "register", _registered)],
    "nobody tries the new deployment": [
        (rollout, "try_out", lambda *_: None),
        (evaluate, "evaluate", lambda *_: None),
    ],
    "a deployment counts as up when it was begun": [(rollout, "bring_up", lambda *given: _begun(*given))],
    "a job of the right name is ours": [
        (pipeline, "submit", lambda wanted, run: pipeline.find(wanted.name) or outside().jobs.submit(wanted))
    ],
    "nobody looks at quotas": [(quota, "check", lambda *_: "")],
    "cancelling forgets the job": [(pipeline, "cancel", lambda *_: True)],
    "a passing fault ends a run": [(advance, "MOST_PASSING", 0)],
    "nobody reconciles": [(reconcile, "reconcile", lambda: 0)],
    "nobody sweeps": [(sweep, "sweep", lambda: 0)],
    "all snapshots of a folder lie in one place": [(snapshots, "prefix", lambda name, etag, made_of: f"{name}/one")],
    "the parameters are no part of a run's identity": [
        (identity, "run_id", lambda n, s, p, b, r: _run_id(n, s, {}, b, r))
    ],
    "an event tells the endpoint's key": [(views, "event", lambda run: {**_event(run), "key": CANARY})],
    "an event that the topic did not take is not published again": [(telling, "is_late", lambda record: False)],
    "a look that found nothing new asks for none": [(step, "_again", lambda *given, **more: "nothing")],
}


# Caught where folders name webhooks: there alone they do anything.
OF_WEBHOOKS: dict[str, list[Change]] = {
    "a webhook is told of what goes on": [
        (notify, "waits", lambda record: bool(getattr(record, "notice", Notice()).webhook) and not record.notice.over),
        (news, "WORDS", defaultdict(str)),
        (advance, "_look", lambda look: _taken_and_told(look)),
    ],
    "who did not answer is not told again": [(notify, "PAUSES", ())],
    "a try is not counted": [(notify, "_claim", lambda loaded: loaded.record.wait(60.0))],
    "the message alone brings a webhook": [(reconcile, "_tell", lambda *given: None)],
    "an event tells the webhook": [(views, "event", lambda run: {**_event(run), "webhook": run.notice.webhook})],
    "a webhook is told of another run's rest": [(news, "identity", lambda record: f"{record.name}@{record.created}")],
}
MUTANTS |= OF_WEBHOOKS


def _taken_and_told(look: Any) -> str:
    loaded = store.find(look.kind, look.id) if look.kind != "folder" else None
    if loaded is None:
        return _look(look)
    return step.take(loaded, look.due) + notify.tell(loaded, loaded.record.next_look)


def _begun(endpoint: str, name: str, deployment: str, recipe: rollout.Recipe, operation: dict[str, str]) -> bool:
    if _endpoint(endpoint, name) is None:
        deployments.start_endpoint(endpoint, name)
        return False
    if _deployment(endpoint, deployment, recipe.run) is None:
        deployments.start_deployment(endpoint, deployment, *recipe)
    return True


def caught(name: str, most: int = MOST) -> Caught | None:
    """The first seed that catches a planted bug and has nothing to say without it."""
    with production(stubbed=True):
        for seed in range(1, most + 1):
            undo = _plant(MUTANTS[name])
            try:
                told = run(seed, webhooks=name in OF_WEBHOOKS).violation
            finally:
                _undo(undo)
            if told and not run(seed, webhooks=name in OF_WEBHOOKS).violation:
                return Caught(name, seed, told)
    return None


def _plant(changes: list[Change]) -> list[Change]:
    before = []
    for where, key, value in changes:
        before.append((where, key, where[key] if isinstance(where, dict) else where.__dict__[key]))
        _put(where, key, value)
    return before


def _undo(changes: list[Change]) -> None:
    for where, key, value in changes:
        _put(where, key, value)


def _put(where: Any, key: str, value: Any) -> None:
    if isinstance(where, dict):
        where[key] = value
    else:
        setattr(where, key, value)


def catch_all(processes: int) -> Iterator[tuple[str, Caught | None]]:
    """All planted bugs, each with what caught it."""
    with multiprocessing.get_context("fork").Pool(processes) as pool:
        yield from zip(MUTANTS, pool.imap(caught, MUTANTS), strict=True)
