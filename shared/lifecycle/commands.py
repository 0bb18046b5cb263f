"""What people ask for: cancel and retry a run, put an endpoint to sleep, wake it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

from shared.endpoints import usage
from shared.endpoints.target import ask_to_wake
from shared.errors import LostRaceError, NotFoundError, ServiceError, UserError
from shared.lifecycle import closing, patience, step, views
from shared.models import registration
from shared.runs import store, work
from shared.runs.records import Endpoint, Record, Run, Upload, moment, rests, stamp
from shared.settings import parse_duration, settings
from shared.training import limits, pipeline

RETRIED = ("failed", "refused", "cancelled", "gated_out", "rolled_back")
TRIES = 8
KEEP, MOST_KEPT = "8h", 7 * 86400.0


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
    """Cancels a run, or an upload that has no verdict yet: its job is ended, its deployment is taken away.

    The wish is written into the record first, so that it is carried out whoever is cut off; a first look follows at once.

    Raises:
        UserError: it has ended already.
        LostRaceError: others change the record all the time.
    """
    identity = find(reference)["id"]
    kind = "upload" if "~" in identity else "run"
    work.follow(persistently(kind, identity, _withdraw if kind == "upload" else _want_cancelled))
    with suppress(ServiceError):
        loaded = store.load(kind, identity)
        step.take(loaded, loaded.record.next_look)
    return find(identity)


def _withdraw(upload: Upload) -> None:
    if rests(upload):
        raise UserError(f"the upload is {upload.state}: there is nothing to cancel", "delete the file")
    upload.reason, upload.fix = "cancelled by hand", "drop the file again"
    upload.enter("withdrawn", upload.reason)


def _want_cancelled(run: Run) -> None:
    if rests(run) and run.state != "live":
        raise UserError(f"the run rests already: {run.state}", "`droptune runs retry` begins it again")
    if run.state == "live":
        run.reason, run.fix = "cancelled by hand", "retry the run"
        run.enter("cancelled", run.reason)
    run.cancel_wanted = run.state != "cancelled"


def retry(reference: str) -> dict[str, Any]:
    """Begins a new attempt of a run that ended without a live model, from what is still good of the last one.

    Raises:
        UserError: it goes on, is live, still ends, or has had its attempts.
        LostRaceError: others change the record all the time.
    """
    identity = find(reference)["id"]
    if "~" in identity:
        raise UserError("the upload was rejected", "mend the file and drop it again")
    last = store.load("run", identity).record
    if last.state in RETRIED and not closing.close(last):
        raise UserError("the job of the last attempt is still ending", "retry in a minute")
    work.follow(persistently("run", identity, _begin_again))
    return find(identity)


def _begin_again(run: Run) -> None:
    if run.state not in RETRIED:
        raise UserError(f"a run that is {run.state} cannot be retried", f"retry is for {', '.join(RETRIED)} runs")
    if limits.spent(run.attempt + 1, settings().max_attempts):
        raise UserError(*limits.too_often(settings().max_attempts))
    state = _still_good(run)
    run.attempt += 1
    run.endpoint, run.reason, run.fix, run.tries, run.cancel_wanted = {}, "", "", 0, False
    run.evaluation, run.rollout, run.rollback_wanted = {}, {}, False
    if state != "registered":
        run.model = {}
    if state == "validated":
        run.job, run.metrics = {}, {}
    run.enter(state, f"attempt {run.attempt}")


def _still_good(run: Run) -> str:
    """The state to go on from: a model that is registered, a job that completed, or only the validated data."""
    if run.state == "gated_out":
        return "validated"
    if run.model and registration.find(run.model["name"], run.model["version"]) is not None:
        return "registered"
    job = pipeline.find(run.job["name"]) if run.job.get("name") else None
    whole = job is not None and job.status == "Completed" and registration.OUTPUT in job.outputs
    return "trained" if whole and run.metrics else "validated"


def persistently(kind: str, identity: str, change: Callable[[Any], None]) -> Record:
    """Changes a record whoever else is changing it, in a few tries; its next look is now."""
    for attempt in range(1, TRIES + 1):
        loaded = store.load(kind, identity)
        change(loaded.record)
        loaded.record.wait()
        try:
            store.save(loaded)
        except LostRaceError:
            if attempt == TRIES:
                raise
        else:
            break
    record: Record = loaded.record
    return record


def endpoint(name: str) -> dict[str, Any]:
    """An endpoint as JSON.

    Raises:
        NotFoundError: there is none.
    """
    loaded = store.find("endpoint", name)
    if loaded is None:
        raise NotFoundError(f"there is no endpoint {name!r}", "`droptune endpoints list` shows all", 404)
    told = views.endpoint_json(loaded.record)
    told["idle"]["sleeps_at"] = patience.sleeps_at(loaded.record)
    return told


def keep(name: str, text: str = KEEP) -> dict[str, Any]:
    """Keeps an awake endpoint awake for a duration such as `8h`, and puts its end off by its whole `delete_after`.

    Raises:
        UserError: it sleeps and has no end, it is being deleted, or that is no duration, or too long.
    """
    endpoint(name)
    try:
        seconds = parse_duration(text)
    except ValueError as error:
        raise UserError(str(error), f"write a duration such as {KEEP}", field="for") from error
    if not 0 < seconds <= MOST_KEPT:
        raise UserError(f"{text!r} is out of range", "keep it for up to 7d, and again after", field="for")
    present = usage.service_now()
    work.follow(persistently("endpoint", name, lambda record: _keep(record, present, seconds)))
    return endpoint(name)


def _keep(record: Endpoint, present: str, seconds: float) -> None:
    if record.ending or record.state == "absent" or (record.state != "awake" and not record.ends):
        told = "being deleted" if record.ending else record.state
        raise UserError(f"the endpoint is {told}: there is nothing to keep", "`droptune endpoints wake` wakes it")
    record.kept_until = patience.later(present, seconds) if record.state == "awake" else ""
    if record.ends:
        record.ends = patience.later(present, record.delete_after)
    record.warned = record.end_warned = ""


def sleep(name: str) -> dict[str, Any]:
    """Puts an endpoint to sleep now.

    Raises:
        UserError: it is not awake, or is deploying.
    """
    endpoint(name)
    work.follow(persistently("endpoint", name, _want_asleep))
    return endpoint(name)


def _want_asleep(record: Endpoint) -> None:
    if record.state != "awake" or record.deploying:
        told = f"the endpoint is {'deploying' if record.deploying else record.state}"
        raise UserError(told, "only an awake one can sleep")
    # No use before the wish speaks against it: the storage tells whole seconds, and a use counts for one more.
    record.falling_since = stamp(moment(usage.service_now()) + timedelta(seconds=2))
    record.kept_until = ""
    record.enter("falling_asleep", "asked for")


def wake(name: str) -> dict[str, Any]:
    """Asks for a sleeping endpoint to wake; waking ones and awake ones stay as they are."""
    endpoint(name)
    ask_to_wake(name)
    return endpoint(name)
