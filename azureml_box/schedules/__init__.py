"""Schedules: jobs that are submitted at the times that a trigger tells."""

from __future__ import annotations

from azureml_box.schedules.routes import routes
from azureml_box.schedules.scheduler import Scheduler

__all__ = ["Scheduler", "routes"]
