"""A deploying run: bring its deployment up, try it, move the traffic, let the old one leave."""

from __future__ import annotations

from typing import Any

from shared.endpoints import deployments, rollout, usage
from shared.endpoints.causes import PassingFailureError
from shared.errors import ForeignResourceError, RejectedError
from shared.lifecycle import begin, closing, patience
from shared.lifecycle.outcome import NEWER, Again, Enter, Outcome
from shared.lifecycle.steps import canary, evaluate
from shared.lifecycle.steps.billing import open_interval
from shared.runs import identity, store, work
from shared.runs.records import Endpoint, Run, moment, now
from shared.settings import settings

# Of a deployment that fails for a cause that passes by itself: so many, with doubled pauses of so many looks between.
MOST_TRIES, PATIENCE = 3, 4


def go_live(run: Run) -> Outcome:
    """One look at the rollout; the old deployment goes only after the new one answered."""
    loaded = store.load("endpoint", run.name)
    record: Endpoint = loaded.record
    if record.deploying != run.id:
        return _not_ours(loaded, run)
    if record.state == "waking" or (record.state == "falling_asleep" and settings().asleep_keeps == "nothing"):
        return Again(settings().poll)  # one at a time moves the traffic, or takes the endpoint away
    place, deployment = record.endpoint_name, str(run.endpoint["deployment"])
    if run.rollback_wanted or run.rollout.get("bad"):
        return canary.back(run, record)
    if open_interval(record, deployment, str(run.endpoint["instance_type"]), run.id):
        store.save(loaded)  # recorded before it is made
    try:
        recipe = rollout.Recipe(run.model["id"], str(run.endpoint["instance_type"]), run.id)
        if not rollout.bring_up(place, run.name, deployment, recipe, run.rollout.setdefault("operations", {})):
            return Again(settings().poll, changed=True)
        uri = _scoring_uri(place, run.name)
        if not run.endpoint.get("tried"):
            rollout.try_out(place, run.name, deployment, uri, run.dataset["snapshot"])
            run.endpoint = {**run.endpoint, "tried": True, "scoring_uri": uri}
        if (outcome := evaluate.evaluate(run, record, uri) or canary.move(run, loaded)) is not None:
            return outcome
        if not rollout.route_all(place, run.name, deployment):
            return Again(settings().poll, changed=True)
    except PassingFailureError as error:
        return _another(loaded, run, error)
    except (RejectedError, ForeignResourceError) as error:
        return Enter("failed", error.reason, error.reason, error.fix)  # the closing takes away what was begun
    _take_over(loaded, run, deployment, uri)
    return Enter("live", f"{place}/{deployment}")


def _another(loaded: Any, run: Run, error: PassingFailureError) -> Outcome:
    """The cause passes by itself: the failed deployment leaves, and one of another name is made, a few times."""
    record: Endpoint = loaded.record
    tries = int(run.rollout.get("tries", 1))
    if tries >= MOST_TRIES:
        return Enter("failed", error.reason, f"{error.reason} ({tries} times)", error.fix)
    closing.leave(record, str(run.endpoint["deployment"]), run.id)
    record.generation += 1
    record.wait()
    store.save(loaded)
    work.follow(record)
    run.reason = f"waiting: {error.reason}"
    run.rollout["tries"] = tries + 1
    run.endpoint = {**run.endpoint, "deployment": identity.deployment_name(run.id, record.generation)}
    return Again(PATIENCE * settings().poll * 2**tries, changed=True)


def _scoring_uri(place: str, name: str) -> str:
    found = deployments.find_endpoint(place, name)
    return found.scoring_uri if found else ""


def _take_over(loaded: Any, run: Run, deployment: str, uri: str) -> None:
    record: Endpoint = loaded.record
    if record.deployment and record.deployment != deployment:
        closing.leave(record, record.deployment, record.run)
    if record.run and record.run != run.id:
        record.retired, record.previous = [*record.retired, record.run], record.run
    record.run, record.deployment, record.deploying, record.canary = run.id, deployment, "", ""
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
    _settle(run)


def _settle(run: Run) -> None:
    """What was noted on the way is not needed any more."""
    run.endpoint = {key: value for key, value in run.endpoint.items() if key != "tried"} | {"traffic": 100}
    run.rollout, run.rollback_wanted = {}, False


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
        _settle(run)
        return Enter("live", f"{record.endpoint_name}/{record.deployment}")
    return Enter("superseded", NEWER, NEWER)
