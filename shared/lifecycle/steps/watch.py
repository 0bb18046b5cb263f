"""A submitted run: read the job itself, whatever an event said; every end but `Completed` is a failure."""

from __future__ import annotations

from datetime import datetime

from shared import clock
from shared.lifecycle import closing
from shared.lifecycle.outcome import Again, Enter, Outcome
from shared.models import metrics
from shared.runs.records import Run, moment, now
from shared.settings import settings
from shared.training import limits, pipeline, prices


def watch(run: Run) -> Outcome:
    """Goes on once the job has ended."""
    job = pipeline.find(run.job["name"])
    if job is None:
        return Enter("failed", "the job is gone", "the job is gone", "retry the run")
    if not job.ended:
        return _goes_on(run)
    closing.free_slot(run)
    _bill(run)
    if job.status == "Completed":
        run.metrics = metrics.read(run.job["name"])
        return Enter("trained", _told(run))
    if job.status == "Canceled":
        return Enter("cancelled", "the job was cancelled", "the job was cancelled", "retry the run")
    reason = f"the job ended as {job.status}"
    if cause := pipeline.failure(run.job["name"]):
        reason += f": {cause}"
    return Enter("failed", reason, reason, "look at the step's log in the studio, mend it, and retry the run")


def _goes_on(run: Run) -> Outcome:
    """One that outlives its limit fails; that its job ends is seen to by what is done with all that rest."""
    limit = settings().job_timeout
    if not limits.outlived(began(run), clock.now(), limit):
        return Again(settings().watch)
    _bill(run)
    reason, fix = limits.too_long(run.job["name"], limit)
    return Enter("failed", reason, reason, fix)


def _bill(run: Run) -> None:
    seconds = (moment(now()) - began(run)).total_seconds()
    cost = prices.cost(run.job["size"], seconds, int(run.job.get("nodes", 1)))
    run.cost = {**run.cost, "training_seconds": round(seconds, 1), "training_usd": round(cost, 4)}


def began(run: Run) -> datetime:
    """When the run's job was submitted."""
    return moment(next(entry.at for entry in reversed(run.timeline) if entry.state == "submitted"))


def _told(run: Run) -> str:
    curves = run.metrics.get("curves", {})
    points = curves.get("eval_loss") or curves.get("loss") or []
    if len(points) < 2:
        return ""
    return f"{'eval_loss' if 'eval_loss' in curves else 'loss'} {points[0][1]:.3f} → {points[-1][1]:.3f}"
