"""What people ask for: cancel and retry a run, put an endpoint to sleep, wake it."""

from __future__ import annotations

from typing import Any

from shared.endpoints.target import ask_to_wake
from shared.errors import NotFoundError, UserError
from shared.lifecycle import views
from shared.runs import store, work
from shared.runs.records import Endpoint, Run, rests
from shared.training import pipeline


def find(reference: str) -> dict[str, Any]:
    """A run by id, unambiguous prefix, or name (its newest), as JSON.

    Raises:
        NotFoundError: nothing of that kind.
        UserError: the prefix fits several.
    """
    exact = store.find("run", reference) if "~" not in reference else store.find("upload", reference)
    if exact is not None:
        endpoint = store.find("endpoint", exact.record.name)
        return views.with_live_metrics(views.run_json(exact.record, endpoint.record if endpoint else None))
    rows = views.runs()
    named = [row for row in rows if row["name"] == reference]
    fits = named[:1] or [row for row in rows if row["id"].startswith(reference)]
    if not fits:
        raise NotFoundError(f"there is no run {reference!r}", "`droptune runs list` shows all", 404)
    if len(fits) > 1:
        raise UserError(
            f"{reference!r} fits {len(fits)} runs: {', '.join(row['id'] for row in fits[:5])}", "write more of it"
        )
    return views.with_live_metrics(fits[0])


def cancel(reference: str) -> dict[str, Any]:
    """Cancels a run that is not at rest: its job is ended, its deployment is taken away.

    Raises:
        UserError: it rests already.
    """
    from shared.azure.outside import outside
    from shared.lifecycle.steps.billing import close_interval

    identity = find(reference)["id"]
    if "~" in identity:
        raise UserError("an upload without a run has nothing to cancel", "delete the file")
    loaded = store.load("run", identity)
    run: Run = loaded.record
    if rests(run):
        raise UserError(f"the run rests already: {run.state}", "a live model is put to sleep with `endpoints sleep`")
    if run.job.get("name"):
        pipeline.cancel(run.job["name"])
    if run.state == "deploying":
        place = store.load("endpoint", run.name)
        if place.record.deployment != run.endpoint["deployment"]:
            outside().online.delete_deployment(place.record.endpoint_name, run.endpoint["deployment"])
            close_interval(place.record, run.endpoint["deployment"])
        place.record.deploying = ""
        store.save(place)
    run.reason = "cancelled by hand"
    run.enter("cancelled", run.reason)
    store.save(loaded)
    return find(identity)


def retry(reference: str) -> dict[str, Any]:
    """Begins a new attempt of a run that ended without a live model.

    Raises:
        UserError: it goes on, or is live.
    """
    identity = find(reference)["id"]
    if "~" in identity:
        raise UserError("the upload was rejected", "mend the file and drop it again")
    loaded = store.load("run", identity)
    run: Run = loaded.record
    if run.state not in ("failed", "refused", "cancelled"):
        raise UserError(
            f"a run that is {run.state} cannot be retried", "retry is for failed, refused and cancelled runs"
        )
    run.attempt += 1
    run.job, run.metrics, run.model, run.endpoint = {}, {}, {}, {}
    run.reason = run.fix = ""
    run.enter("validated", f"attempt {run.attempt}")
    store.save(loaded)
    work.look_at("run", identity)
    return find(identity)


def endpoint(name: str) -> dict[str, Any]:
    """An endpoint as JSON.

    Raises:
        NotFoundError: there is none.
    """
    loaded = store.find("endpoint", name)
    if loaded is None:
        raise NotFoundError(f"there is no endpoint {name!r}", "`droptune endpoints list` shows all", 404)
    return views.endpoint_json(loaded.record)


def sleep(name: str) -> dict[str, Any]:
    """Puts an endpoint to sleep now.

    Raises:
        UserError: it is not awake, or is deploying.
    """
    endpoint(name)
    loaded = store.load("endpoint", name)
    record: Endpoint = loaded.record
    if record.state != "awake" or record.deploying:
        raise UserError(
            f"the endpoint is {'deploying' if record.deploying else record.state}", "only an awake one can sleep"
        )
    record.generation += 1
    record.enter("falling_asleep", "asked for")
    store.save(loaded)
    work.look_at("endpoint", name)
    return endpoint(name)


def wake(name: str) -> dict[str, Any]:
    """Asks for a sleeping endpoint to wake; waking ones and awake ones stay as they are."""
    endpoint(name)
    ask_to_wake(name)
    return endpoint(name)
