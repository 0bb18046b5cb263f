"""What follows from a verdict: a report beside the upload, and a run where it was accepted."""

from __future__ import annotations

from typing import Any

import msgspec

from shared import reports
from shared.datasets.check import Verdict
from shared.lifecycle import begin, notify, telling
from shared.lifecycle.outcome import Enter, Outcome
from shared.runs import store, work
from shared.runs.records import Endpoint, Moment, Run, Upload, now


def reject(upload: Upload, verdict: Verdict) -> Outcome:
    """The upload rests; its report says what is wrong, first the first error."""
    first = next(finding for finding in verdict.findings if finding.severity == "error")
    field = first.field if first.field and first.field not in first.message else ""
    where = ", ".join(part for part in (first.file or "", f"line {first.line}" if first.line else "", field) if part)
    reason = f"{where}: {first.message}" if where else first.message
    reports.publish(upload.path, {**_report(upload, verdict), "state": "rejected", "reason": reason, "fix": first.fix})
    return Enter("rejected", reason, reason, first.fix)


def accept(upload: Upload, run: Run, verdict: Verdict, expected: dict[str, Any] | None = None) -> Outcome:
    """The run begins, or the one that exists for the same goes on; `expected` is the estimate of time and money."""
    upload.run = run.id
    made = store.create(run)
    report = {**_report(upload, verdict), "run": run.id, **({"estimate": expected} if expected else {})}
    if made is not None:
        outcome = _begun(upload, run, report)
        telling.tell(made)
        return outcome
    found = store.load("run", run.id)
    known: Run = found.record
    renamed = notify.adopt(known, run)
    if not begin.is_of(known, upload):
        return _same_again(upload, run, found, report)
    if renamed:
        _renew_run(found, begin.order(run))
    if reports.beside(upload.path).get("run") == run.id:
        work.follow(found.record)
        return Enter("accepted", run.id)
    return _begun(upload, known, report)  # it was begun, and then we were cut off


def _begun(upload: Upload, run: Run, report: dict[str, Any]) -> Outcome:
    reports.publish(upload.path, {**report, "state": "accepted", "timeline": msgspec.to_builtins(run.timeline)})
    work.follow(run)
    return Enter("accepted", run.id)


def _same_again(upload: Upload, asked: Run, found: store.Loaded[Run], report: dict[str, Any]) -> Outcome:
    """The same content and parameters: no second training; but as the folder's newest it gets the endpoint."""
    known, again = found.record, begin.order(asked)
    told = f"same content, parameters and base model as run {known.id} ({known.state})"
    reports.publish(upload.path, {**report, "state": "duplicate", "reason": told})
    if again > begin.order(known):
        known.timeline = [*known.timeline, Moment(known.state, now(), f"the same was dropped again as {upload.path}")]
        _renew_run(found, again)
        work.follow(known)
    return Enter("duplicate", told, told)


def _renew_run(found: store.Loaded[Run], order: str) -> None:
    """The run is the folder's newest from now on; where an older one has the endpoint, it gets that again."""
    known = found.record
    _renew(known.name, known.id, order)
    known.dataset = {**known.dataset, "order": order}
    if known.state == "superseded" and known.model:
        known.reason = known.fix = ""
        known.wait()
        known.enter("registered", "the folder's newest again")
    store.save(found)


def _renew(name: str, run: str, order: str) -> None:
    """The endpoint that serves this run already serves the folder's newest: what is on its way there is older."""
    loaded = store.find("endpoint", name)
    if loaded is None or loaded.record.newest >= order:
        return
    record: Endpoint = loaded.record
    if run in (record.run, record.deploying):
        record.newest, record.deploying = order, run if record.deploying == run else ""
        store.save(loaded)


def _report(upload: Upload, verdict: Verdict) -> dict[str, Any]:
    return {"file": upload.path, "etag": upload.etag, "name": upload.name, "reason": "", "fix": "", **verdict.as_json()}
