"""Training metrics, read from the workspace's MLflow tracking service by its REST API.

The fine-tune step logs on itself and on the pipeline's root run (source: AZUREML_CONTRACT section 1 "Metrics").
`azureml-mlflow` would pin an old storage SDK for the three calls that are needed.
"""

from __future__ import annotations

from typing import Any

from shared.azure.outside import outside
from shared.errors import NotFoundError

SHOWN = ("loss", "eval_loss", "learning_rate", "grad_norm", "epoch", "train_loss", "train_runtime", "total_steps")
CURVES = ("loss", "eval_loss")


def latest(job: str) -> dict[str, float]:
    """The last value of each metric that the pipeline's root run has; empty where there is none yet."""
    try:
        found = outside().jobs.metrics(job)
    except NotFoundError:
        return {}
    return {key: value for key, value in found.items() if key in SHOWN}


def curve(job: str, metric: str) -> list[list[float]]:
    """Step and value of every point of a metric, in order."""
    try:
        return outside().jobs.curve(job, metric)
    except NotFoundError:
        return []


def read(job: str) -> dict[str, Any]:
    """The metrics of a run's record: last values, and the curves of the losses."""
    values: dict[str, Any] = dict(latest(job))
    values["curves"] = {name: points for name in CURVES if (points := curve(job, name))}
    return values
