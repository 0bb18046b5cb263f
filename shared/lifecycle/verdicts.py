"""What follows from a verdict: a report beside the upload, and a run where it was accepted."""

from __future__ import annotations

from typing import Any

import msgspec

from shared import reports
from shared.datasets.check import Verdict
from shared.lifecycle.outcome import Enter, Outcome
from shared.runs import store, work
from shared.runs.records import Moment, Run, Upload, now


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
    if made is None:
        found = store.load("run", run.id)
        known: Run = found.record
        if (known.dataset["path"], known.dataset["etag"]) != (upload.path, upload.etag):
            told = f"same content, parameters and base model as run {run.id} ({known.state})"
            known.timeline.append(Moment(known.state, now(), f"the same was dropped again as {upload.path}"))
            store.save(found)
            reports.publish(upload.path, {**report, "state": "duplicate", "reason": told})
            return Enter("duplicate", told, told)
        work.look_at("run", run.id)
        return Enter("accepted", run.id)
    work.look_at("run", run.id)
    reports.publish(upload.path, {**report, "state": "accepted", "timeline": msgspec.to_builtins(run.timeline)})
    return Enter("accepted", run.id)


def _report(upload: Upload, verdict: Verdict) -> dict[str, Any]:
    return {"file": upload.path, "etag": upload.etag, "name": upload.name, "reason": "", "fix": "", **verdict.as_json()}
