"""A deploying run: bring its deployment up, try it, move the traffic, take the old one down."""

from __future__ import annotations

from typing import Any

from shared.azure.outside import outside
from shared.endpoints import deployments, rollout
from shared.errors import ForeignResourceError, NotFoundError, RejectedError
from shared.lifecycle.outcome import Again, Enter, Outcome
from shared.lifecycle.steps.billing import close_interval, open_interval
from shared.lifecycle.steps.deploy import idle_after
from shared.runs import store
from shared.runs.records import Endpoint, Run, moment, now
from shared.settings import settings


def go_live(run: Run) -> Outcome:
    """One look at the rollout; the old deployment goes only after the new one answered."""
    loaded = store.load("endpoint", run.name)
    record: Endpoint = loaded.record
    if record.deploying != run.id:
        return _superseded(loaded, run)
    place, deployment = record.endpoint_name, str(run.endpoint["deployment"])
    if open_interval(record, deployment, str(run.endpoint["instance_type"])):
        store.save(loaded)  # recorded before it is made
    try:
        if not rollout.bring_up(place, run.name, deployment, run.model["id"], run.endpoint["instance_type"], run.id):
            return Again(settings().poll)
        uri = _scoring_uri(place, run.name)
        if not run.endpoint.get("tried"):
            rollout.try_out(place, run.name, deployment, uri, run.dataset["snapshot"])
            run.endpoint = {**run.endpoint, "tried": True, "scoring_uri": uri}
        if not rollout.route_all(place, run.name, deployment):
            return Again(min(1.0, settings().poll), changed=True)
    except (RejectedError, ForeignResourceError) as error:
        return _failed(loaded, deployment, error)
    _take_over(loaded, run, deployment, uri)
    return Enter("live", f"{place}/{deployment}")


def _scoring_uri(place: str, name: str) -> str:
    found = deployments.find_endpoint(place, name)
    return found.scoring_uri if found else ""


def _take_over(loaded: Any, run: Run, deployment: str, uri: str) -> None:
    record: Endpoint = loaded.record
    old, old_run = record.deployment, record.run
    record.run, record.deployment, record.deploying = run.id, deployment, ""
    record.model_id, record.instance_type = run.model["id"], str(run.endpoint["instance_type"])
    record.idle_after, record.scoring_uri, record.generation = idle_after(run), uri, record.generation + 1
    record.wake_wanted, record.waking_since, record.awake_since = False, "", now()
    record.wake_seconds = record.wake_seconds or _took(run)
    record.enter("awake", f"run {run.id}")
    if old and old != deployment:
        outside().online.delete_deployment(record.endpoint_name, old)
        close_interval(record, old)
    store.save(loaded)
    run.endpoint = {key: value for key, value in run.endpoint.items() if key != "tried"} | {"traffic": 100}
    if old_run and old_run != run.id:
        _retire(old_run, run.id)


def _took(run: Run) -> float:
    """Seconds that this deployment took: the best guess of what waking will take."""
    began = next((entry.at for entry in reversed(run.timeline) if entry.state == "deploying"), now())
    return round((moment(now()) - moment(began)).total_seconds(), 1)


def _retire(old: str, by: str) -> None:
    try:
        loaded = store.load("run", old)
    except NotFoundError:
        return
    if loaded.record.state == "live":
        loaded.record.endpoint = {**loaded.record.endpoint, "traffic": 0}
        loaded.record.enter("superseded", f"by run {by}")
        store.save(loaded)


def _superseded(loaded: Any, run: Run) -> Outcome:
    deployment = str(run.endpoint["deployment"])
    if loaded.record.deployment != deployment:
        outside().online.delete_deployment(loaded.record.endpoint_name, deployment)
        close_interval(loaded.record, deployment)
        store.save(loaded)
    elif loaded.record.run == run.id:
        return Enter("live", f"{loaded.record.endpoint_name}/{deployment}")
    return Enter("superseded", "a newer upload of this folder has the endpoint")


def _failed(loaded: Any, deployment: str, error: RejectedError | ForeignResourceError) -> Outcome:
    record: Endpoint = loaded.record
    if isinstance(error, RejectedError) and record.deployment != deployment:
        outside().online.delete_deployment(record.endpoint_name, deployment)
    close_interval(record, deployment)
    record.deploying = ""
    store.save(loaded)
    return Enter("failed", error.reason, error.reason, error.fix)
