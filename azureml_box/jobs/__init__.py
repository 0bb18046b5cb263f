"""Jobs that really run: pipelines are DAGs of command steps, each a process in a folder of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import BaseRoute

from azureml_box.jobs import artifacts, history, mlflow, resources
from azureml_box.jobs.engine import JobEngine

if TYPE_CHECKING:
    from azureml_box.context import Box

__all__ = ["JobEngine", "routes"]


def routes(box: Box) -> list[BaseRoute]:
    """Jobs, run history with its artifacts, and MLflow tracking."""
    return [*resources.routes(box), *history.routes(box), *artifacts.routes(box), *mlflow.routes(box)]
