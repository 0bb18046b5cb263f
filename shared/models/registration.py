"""Registering a tuned model from its job's output, after checking that the output is there."""

from __future__ import annotations

from shared.azure.outside import outside
from shared.azure.seen import Job, Model
from shared.errors import ForeignResourceError, RejectedError
from shared.runs.identity import TAG_RUN

OUTPUT = "trained_model"


def register(job: Job, name: str, version: str, run: str, tags: dict[str, str]) -> Model:
    """Registers `trained_model` of a job; a version that bears our run's tag is adopted.

    Raises:
        RejectedError: the job has no such output.
        ForeignResourceError: the version belongs to somebody else.
    """
    found = find(name, version)
    if found is not None:
        if found.tags.get(TAG_RUN) != run:
            raise ForeignResourceError(f"the model {name}:{version} exists and is not ours", "archive that version")
        return found
    if OUTPUT not in job.outputs:
        raise RejectedError(f"the job {job.name} ended without the output {OUTPUT!r}", "look at the job's last step")
    where = f"azureml://jobs/{job.name}/outputs/{OUTPUT}"
    return outside().models.register(name, version, where, f"{run}, tuned by droptune", {TAG_RUN: run, **tags})


def tag(model: dict[str, str], tags: dict[str, str]) -> None:
    """Adds tags to a registered version; the model is a run's `name` and `version`."""
    outside().models.tag(model["name"], model["version"], tags)


def find(name: str, version: str) -> Model | None:
    """A version of a registered model, or None."""
    return outside().models.find(name, version)
