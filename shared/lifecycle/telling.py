"""Telling people: the event of a state that was entered, and the report beside the file."""

from __future__ import annotations

import logging

import msgspec

from shared import reports
from shared.azure import topics
from shared.azure.blobs import Container
from shared.errors import DroptuneError
from shared.events import event_type
from shared.lifecycle import evaluated, views
from shared.runs.records import Endpoint, Record, Run, Upload, kind_of

log = logging.getLogger("droptune")


def tell(record: Record) -> None:
    """Publishes the event of a state; a failure here must not undo the step. Reports are the closing's."""
    try:
        if isinstance(record, Run):
            topics.publish(event_type(record.state), f"runs/{record.id}", views.event(record))
        elif isinstance(record, Upload) and record.state == "rejected":
            told = {"path": record.path, "reason": record.reason, "fix": record.fix}
            topics.publish("Droptune.UploadRejected", f"uploads/{record.id}", told)
    except DroptuneError as error:
        log.warning("%s %s: %s", kind_of(record), record.id, error.reason)


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
