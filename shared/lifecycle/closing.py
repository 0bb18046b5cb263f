"""What must be true once something rests: nothing of it spends any more, and its report says how it ended.

It is looked at when a record comes to rest, and again by `reconcile` until no function can be under way that began
before: whoever was killed, late or cut off between two calls is put right here.
"""

from __future__ import annotations

from shared.endpoints import deployments
from shared.lifecycle import telling
from shared.lifecycle.steps.billing import close_interval
from shared.runs import identity, slots, store, work
from shared.runs.records import Endpoint, Leaving, Record, Run, Upload
from shared.training import pipeline


def close(record: Record) -> bool:
    """Ends what a resting record may have left running and mends its report; True once all of it has ended."""
    if isinstance(record, Upload):
        telling.report(record)
        return True
    if not isinstance(record, Run):
        return True
    ended = record.state == "live" or _stop_job(record)
    if ended:
        free_slot(record)
    if record.state != "live":
        _leave_endpoint(record)
    telling.report(record)
    return ended


def free_slot(run: Run) -> None:
    """Gives back the run's slot for a job; whoever has one by that is told."""
    for granted in slots.give_back(run.id, run.attempt):
        work.look_at("run", granted)


def _stop_job(run: Run) -> bool:
    """Cancels the attempt's job where it still runs, whether the record knows of it or not."""
    return pipeline.cancel(identity.job_name(run.id, run.attempt), run.id)


def _leave_endpoint(run: Run) -> None:
    loaded = store.find("endpoint", run.name)
    if loaded is None:
        return
    record: Endpoint = loaded.record
    if _release(record, run):
        record.wait()
        store.save(loaded)
        work.follow(record)


def _release(record: Endpoint, run: Run) -> bool:
    """Takes a run that is not live out of its endpoint's record; its deployments are to be taken away."""
    changed = False
    if record.deploying == run.id:
        record.deploying, changed = "", True
    if record.run == run.id and run.state == "cancelled":
        leave(record, record.deployment, run.id)
        record.run = record.deployment = record.model_id = ""
        record.wake_wanted = False
        record.enter("absent", "its run was cancelled")
        return True
    deployment = str(run.endpoint.get("deployment", ""))
    if not deployment or deployment == record.deployment:
        return changed
    if _stands(record, deployment):
        return leave(record, deployment, run.id) or changed
    return close_interval(record, deployment) or changed


def leave(record: Endpoint, deployment: str, run: str) -> bool:
    """Notes that a deployment is to be taken away; False where that is noted already."""
    entry = Leaving(deployment, run)
    if not deployment or entry in record.leaving:
        return False
    record.leaving = [*record.leaving, entry]
    return True


def _stands(record: Endpoint, deployment: str) -> bool:
    return not deployments.is_gone(record.endpoint_name, deployment)
