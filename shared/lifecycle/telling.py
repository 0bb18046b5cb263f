"""Telling people: the event of a state that was entered, and the report beside the file.

An event's id is the record's and the time at which it entered the state: what is told twice has the same. The event of a
state that moves on is told at most once, that of a rest at least once, unless the topic takes none for a day.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import msgspec

from shared import clock, reports
from shared.azure import topics
from shared.azure.blobs import Container
from shared.errors import DroptuneError
from shared.events import event_type
from shared.lifecycle import evaluated, news, views
from shared.runs import store
from shared.runs.records import Endpoint, Record, Run, Upload, kind_of, moment, rests, rests_since
from shared.settings import settings

log = logging.getLogger("droptune")
UNDER_WAY, NEWS = timedelta(seconds=30), timedelta(days=1)  # Event Grid too keeps an event for a day


def tell(loaded: store.Loaded[Any]) -> None:
    """Publishes the event of a record's state; a failure here must not undo the step. Reports are the closing's."""
    record = loaded.record
    try:
        _publish(record)
        if owes(record):
            record.published = rests_since(record)
            store.save(loaded)
    except DroptuneError as error:
        log.warning("%s %s: %s", kind_of(record), record.id, error.reason)


def _publish(record: Record) -> None:
    if isinstance(record, Run):
        topics.publish(event_type(record.state), f"runs/{record.id}", views.event(record), news.identity(record))
    elif isinstance(record, Upload) and record.state == "rejected":
        told = {"path": record.path, "reason": record.reason, "fix": record.fix}
        topics.publish("Droptune.UploadRejected", f"uploads/{record.id}", told, news.identity(record))


def owes(record: Record) -> bool:
    """Whether the topic has not taken the event of how a record rests, and it is still news."""
    if not isinstance(record, Run | Upload) or not rests(record) or not settings().events_endpoint:
        return False
    if isinstance(record, Upload) and record.state != "rejected":
        return False
    since = rests_since(record)
    return bool(since) and record.published != since and clock.now() < moment(since) + NEWS


def is_late(record: Record) -> bool:
    """Whether it owes that event, and whoever entered the state is not about to publish it."""
    return owes(record) and moment(rests_since(record)) + UNDER_WAY < clock.now()


def soon(record: Endpoint, event: str, at: str, told: str) -> None:
    """Publishes what happens to an endpoint soon, unless somebody keeps it; a failure here must not undo the step."""
    try:
        topics.publish(event, f"endpoints/{record.name}", {"name": record.name, "at": at, "message": told})
    except DroptuneError as error:
        log.warning("endpoint %s: %s", record.name, error.reason)


def report(record: Run | Upload) -> None:
    """Makes the report beside the file say what the record says, unless it does, or is another run's by now.

    Raises:
        ServiceError: it cannot be read or written.
    """
    found = reports.beside(record.path if isinstance(record, Upload) else str(record.dataset["path"]))
    if isinstance(record, Upload):
        _report_upload(record, found)
    elif _is_due(record, found):
        _report_run(record, found)


def _is_due(run: Run, found: dict[str, object]) -> bool:
    """Whether a run's report is to be written: over its own that says less, or where it lacks beside the run's version."""
    if found.get("run") == run.id:
        return _says(found) != (run.state, run.reason)
    path, etag = str(run.dataset["path"]), str(run.dataset["etag"])
    return found.get("etag") != etag and _lies_there(path, etag)


def _says(found: dict[str, object]) -> tuple[object, object]:
    return found.get("state"), found.get("reason", "")


def _report_upload(upload: Upload, found: dict[str, object]) -> None:
    """A rejection or withdrawal, where its version still lies there: what is said of another version must not stay."""
    if upload.state not in ("rejected", "withdrawn"):
        return
    same = found.get("etag") == upload.etag
    if (same and _says(found) == (upload.state, upload.reason)) or not _lies_there(upload.path, upload.etag):
        return
    told = {"etag": upload.etag, "name": upload.name, "state": upload.state, "reason": upload.reason, "fix": upload.fix}
    reports.publish(upload.path, {**(found if same else {}), "file": upload.path, **told})


def _lies_there(path: str, etag: str) -> bool:
    there = Container("datasets").properties(path)
    return there is not None and there.etag == etag


def _report_run(run: Run, found: dict[str, object]) -> None:
    reports.update(
        str(run.dataset["path"]),
        etag=found.get("etag") if found.get("run") == run.id else run.dataset["etag"],
        name=run.name,
        run=run.id,
        state=run.state,
        reason=run.reason,
        fix=run.fix,
        metrics=run.metrics,
        evaluation=evaluated.document(run),
        model=run.model,
        endpoint=run.endpoint if run.state == "live" else None,
        cost=run.cost,
        timeline=msgspec.to_builtins(run.timeline),
    )
