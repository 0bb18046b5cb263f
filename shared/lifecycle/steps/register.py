"""A trained run: register the model from the job's output."""

from __future__ import annotations

from shared.errors import ForeignResourceError, RejectedError
from shared.lifecycle.outcome import Enter, Outcome
from shared.models import registration
from shared.runs import identity
from shared.runs.records import Run
from shared.training import pipeline


def register(run: Run) -> Outcome:
    """Registers the model of this attempt, once: name and version are the run's."""
    job = pipeline.find(run.job["name"])
    if job is None:
        return Enter("failed", "the job is gone", "the job is gone, and its output with it", "retry the run")
    name, version = identity.model_name(run.name), identity.model_version(run.id, run.attempt)
    tags = {"droptune-dataset": run.name, "base-model": f"{run.base_model['name']}:{run.base_model['version']}"}
    try:
        model = registration.register(job, name, version, run.id, tags)
    except (RejectedError, ForeignResourceError) as error:
        return Enter("failed", error.reason, error.reason, error.fix or "look at the job's output")
    run.model = {"name": name, "version": version, "id": str(model.id)}
    return Enter("registered", f"{name}:{version}")
