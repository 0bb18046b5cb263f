"""Registering a tuned model from its job's output, after checking that the output is there."""

from __future__ import annotations

from typing import Any

from shared.azure import ml
from shared.azure.failures import azure_errors
from shared.errors import ForeignResourceError, NotFoundError, RejectedError
from shared.runs.identity import TAG_RUN

OUTPUT = "trained_model"


def register(job: Any, name: str, version: str, run: str, tags: dict[str, str]) -> Any:
    """Registers `trained_model` of a job; a version that bears our run's tag is adopted.

    Raises:
        RejectedError: the job has no such output.
        ForeignResourceError: the version belongs to somebody else.
    """
    found = find(name, version)
    if found is not None:
        if (found.tags or {}).get(TAG_RUN) != run:
            raise ForeignResourceError(f"the model {name}:{version} exists and is not ours", "archive that version")
        return found
    if OUTPUT not in (job.outputs or {}):
        raise RejectedError(f"the job {job.name} ended without the output {OUTPUT!r}", "look at the job's last step")
    from azure.ai.ml.constants import AssetTypes
    from azure.ai.ml.entities import Model

    model = Model(
        path=f"azureml://jobs/{job.name}/outputs/{OUTPUT}",
        type=AssetTypes.MLFLOW_MODEL,
        name=name,
        version=version,
        description=f"{run}, tuned by droptune",
        tags={TAG_RUN: run, **tags},
    )
    with azure_errors(f"register the model {name}:{version}"):
        return ml.workspace().models.create_or_update(model)


def find(name: str, version: str) -> Any | None:
    """A version of a registered model, or None."""
    try:
        with azure_errors(f"look at the model {name}:{version}"):
            return ml.workspace().models.get(name, version=version)
    except NotFoundError:
        return None
