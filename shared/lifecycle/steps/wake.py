"""An endpoint that is asleep and wanted: make its deployment again from what is recorded."""

from __future__ import annotations

from shared.endpoints import deployments, rollout, usage
from shared.errors import ForeignResourceError, RejectedError
from shared.lifecycle import closing, ending, patience
from shared.lifecycle.outcome import Again, Enter, Leave, Outcome
from shared.lifecycle.steps.billing import open_interval
from shared.runs import identity
from shared.runs.records import Endpoint, moment, now
from shared.settings import settings


def consider_wake(record: Endpoint) -> Outcome:
    """Begins to wake where somebody asked, or its hours begin; the deployment gets a new name, noted before it is made.

    Where a newer run is on its way to the endpoint, it was begun before, and is what will answer.
    """
    if ending.is_over(record):
        return ending.delete(record)
    if record.deploying:
        return Leave()
    began = "" if record.wake_wanted else patience.begun(record)
    if not record.wake_wanted and not began:
        return ending.asleep(record)
    if not record.model_id:
        record.wake_wanted = False
        return Again(settings().watch, changed=True)
    if began:
        record.woken_for = began
    else:
        patience.woken(record)
    record.waking_since, record.operations = now(), {}
    record.generation += 1
    record.deployment = identity.deployment_name(record.run, record.generation)
    open_interval(record, record.deployment, record.instance_type, record.run)
    return Enter("waking", "its hours began" if began else "somebody asked")


def wake(record: Endpoint) -> Outcome:
    """One look at the waking deployment."""
    place = record.endpoint_name
    try:
        recipe = rollout.Recipe(record.model_id, record.instance_type, record.run)
        up = rollout.bring_up(place, record.name, record.deployment, recipe, record.operations)
        if not up or not rollout.route_all(place, record.name, record.deployment):
            return Again(settings().poll, changed=True)
    except (RejectedError, ForeignResourceError) as error:
        return _failed(record, error)
    if settings().asleep_keeps == "nothing":
        found = deployments.find_endpoint(place, record.name)
        record.scoring_uri = found.scoring_uri if found else record.scoring_uri
    seconds = (moment(now()) - moment(record.waking_since)).total_seconds()
    record.wake_seconds, record.wake_wanted = round(seconds, 1), False
    record.awake_since = usage.service_now()
    return Enter("awake", f"woke in {seconds:.0f} s")


def _failed(record: Endpoint, error: RejectedError | ForeignResourceError) -> Outcome:
    """Asleep again, with the reason; what was begun is taken away."""
    closing.leave(record, record.deployment, record.run)
    record.deployment, record.wake_wanted = "", False
    return Enter("asleep", error.reason, error.reason, error.fix)
