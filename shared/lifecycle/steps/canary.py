"""A new deployment gets its traffic by steps; between them it is looked at, and one that turned bad goes back by itself."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from shared.azure.blobs import Container
from shared.azure.outside import outside
from shared.azure.seen import Served
from shared.endpoints import canary, deployments, rollout, usage
from shared.endpoints.target import FRESH_SECONDS
from shared.lifecycle.outcome import Again, Enter, Outcome
from shared.runs import store
from shared.runs.records import Endpoint, Run, moment
from shared.settings import settings

FIX = "look at the deployment's log and at the report's answers, mend the data or the settings, and drop the file again"


def move(run: Run, loaded: store.Loaded[Any]) -> Outcome | None:
    """None once all traffic may go to the new deployment; else what comes next."""
    record: Endpoint = loaded.record
    wanted = canary.steps(run.config.get("deploy") or {})
    number = int(run.rollout.get("step", 0))
    if run.rollout.get("back") or number >= len(wanted) or not _has_stable(run, record):
        return None
    if record.canary != run.endpoint["deployment"]:
        return _begin(run, loaded)
    return _step(run, record, wanted[number], number)


def _has_stable(run: Run, record: Endpoint) -> bool:
    """Whether another deployment answers now, to which the traffic can go back."""
    if record.state != "awake" or record.deployment in ("", run.endpoint["deployment"]):
        return False
    return not deployments.is_gone(record.endpoint_name, record.deployment)


def _begin(run: Run, loaded: store.Loaded[Any]) -> Outcome:
    """Instances that read the record before do not know of the canary yet: the traffic moves after they do."""
    loaded.record.canary = run.endpoint["deployment"]
    store.save(loaded)
    return Again(FRESH_SECONDS + 1, changed=True)


def _step(run: Run, record: Endpoint, wanted: canary.Step, number: int) -> Outcome:
    new, stable = str(run.endpoint["deployment"]), record.deployment
    shares, mirror = wanted.traffic(new, stable)
    if not rollout.route(record.endpoint_name, record.name, shares, mirror):
        return Again(settings().poll, changed=True)
    if not run.rollout.get("since"):
        run.rollout |= {"step": number, "since": usage.service_now()}
        run.endpoint = {**run.endpoint, "traffic": shares.get(new, 0)}
        return Again(settings().poll, changed=True)
    if told := _wrong(run, record, wanted):
        run.rollout["bad"] = f"at {wanted.share} % of {'mirrored ' if wanted.mirror else ''}traffic: {told}"
        return back(run, record)
    left = settings().canary_hold + settings().metrics_lag - _age(str(run.rollout["since"]))
    if left > 0:
        return Again(min(settings().poll, left), changed=True)
    run.rollout |= {"step": number + 1, "since": ""}
    return Again(0.0, changed=True)


def _age(since: str) -> float:
    return (Container("endpoints").now() - moment(since)).total_seconds()


def _wrong(run: Run, record: Endpoint, step: canary.Step) -> str:
    """What the service counted in the whole minutes since the step began, and what our own callers met.

    The minute in which it began counts the rows of our own evaluation, too, which are longer than most requests.
    """
    present, since = Container("endpoints").now(), moment(str(run.rollout["since"]))
    whole = (since + timedelta(minutes=1)).replace(second=0, microsecond=0)
    seen = outside().online.served(record.endpoint_name, whole, present) if whole < present else {}
    marks, first = usage.marks(record.name), since.strftime(usage.MINUTE)
    sent = sum(count for minute, count in marks.sent.items() if minute >= first)
    repeated = sum(count for minute, count in marks.repeated.items() if minute >= first)
    new, stable = (seen.get(name, Served()) for name in (str(run.endpoint["deployment"]), record.deployment))
    return canary.wrong(new, stable, repeated, sent * step.share / 100)


def back(run: Run, record: Endpoint) -> Outcome:
    """All traffic to the stable deployment first; the closing takes the new one away."""
    told = str(run.rollout.get("bad") or "rolled back by hand")
    if _has_stable(run, record) and not rollout.route_all(record.endpoint_name, record.name, record.deployment):
        return Again(settings().poll, changed=True)
    run.endpoint = {**run.endpoint, "traffic": 0}
    return Enter("rolled_back", told, told, FIX)
