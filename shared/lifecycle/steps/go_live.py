"""A deploying run: bring its deployment up, try it, move the traffic, let the old one leave."""

from __future__ import annotations

from typing import Any

from shared.endpoints import deployments, rollout, usage
from shared.errors import ForeignResourceError, RejectedError
from shared.lifecycle import begin, closing, patience
from shared.lifecycle.outcome import NEWER, Again, Enter, Outcome
from shared.lifecycle.steps.billing import open_interval
from shared.runs import store, work
from shared.runs.records import Endpoint, Run, moment, now
from shared.settings import settings


def go_live(run: Run) -> Outcome:
    """One look at the rollout; the old deployment goes only after the new one answered."""
    loaded = store.load("endpoint", run.name)
    record: Endpoint = loaded.record
    if record.deploying != run.id:
        return _not_ours(loaded, run)
    if record.state == "waking" or (record.state == "falling_asleep" and settings().asleep_keeps == "nothing"):
        return Again(settings().poll)  # one at a time moves the traffic, or takes the endpoint away
    place, deployment = record.endpoint_name, str(run.endpoint["deployment"])
    if open_interval(record, deployment, str(run.endpoint["instance_type"]), run.id):
        store.save(loaded)  # recorded before it is made
    try:
        if not rollout.bring_up(place, run.name, deployment, run.model["id"], run.endpoint["instance_type"], run.id):
            return Again(settings().poll)
        uri = _scoring_uri(place, run.name)
        if not run.endpoint.get("tried"):
            rollout.try_out(place, run.name, deployment, uri, run.dataset["snapshot"])
            run.endpoint = {**run.endpoint, "tried": True, "scoring_uri": uri}
        if not rollout.route_all(place, run.name, deployment):
            return Again(settings().poll, changed=True)
    except (RejectedError, ForeignResourceError) as error:
        return Enter("failed", error.reason, error.reason, error.fix)  # the closing takes away what was begun
    _take_over(loaded, run, deployment, uri)
    return Enter("live", f"{place}/{deployment}")


def _scoring_uri(place: str, name: str) -> str:
    found = deployments.find_endpoint(place, name)
    return found.scoring_uri if found else ""


def _take_over(loaded: Any, run: Run, deployment: str, uri: str) -> None:
    record: Endpoint = loaded.record
    if record.deployment and record.deployment != deployment:
        closing.leave(record, record.deployment, record.run)
    if record.run and record.run != run.id:
        record.retired = [*record.retired, record.run]
    record.run, record.deployment, record.deploying = run.id, deployment, ""
    record.model_id, record.instance_type = run.model["id"], str(run.endpoint["instance_type"])
    record.scoring_uri = uri
    patience.adopt(record, run)
    record.wake_wanted, record.waking_since = False, ""
    record.awake_since = usage.service_now()
    record.wake_seconds = record.wake_seconds or _took(run)
    record.enter("awake", f"run {run.id}")
    record.wait()
    store.save(loaded)
    if record.leaving or record.retired:
        work.follow(record)
    run.endpoint = {key: value for key, value in run.endpoint.items() if key != "tried"} | {"traffic": 100}


def _took(run: Run) -> float:
    """Seconds that this deployment took: the best guess of what waking will take."""
    began = next((entry.at for entry in reversed(run.timeline) if entry.state == "deploying"), now())
    return round((moment(now()) - moment(began)).total_seconds(), 1)


def _not_ours(loaded: store.Loaded[Endpoint], run: Run) -> Outcome:
    """The endpoint deploys another run, or has this one already: the record was saved and then we were cut off."""
    record = loaded.record
    if record.run != run.id and record.newest < begin.order(run):  # the same was dropped again as the newest meanwhile
        record.newest, record.deploying = begin.order(run), run.id
        store.save(loaded)
        return Again(0.0)
    if record.run == run.id:
        run.endpoint = {key: value for key, value in run.endpoint.items() if key != "tried"} | {"traffic": 100}
        return Enter("live", f"{record.endpoint_name}/{record.deployment}")
    return Enter("superseded", NEWER, NEWER)
