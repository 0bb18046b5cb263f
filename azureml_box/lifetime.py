"""The beginning and the end of what works in the background: at the emulator's start and stop, and at a reset."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from azureml_box import compute_routes, jobs, registry_routes, schedules, serving
from azureml_box.datastores import default_datastores
from azureml_box.publishing import publish_all

if TYPE_CHECKING:
    from azureml_box.context import Box


def renew(box: Box) -> None:
    """Give the Box engines that know of no work."""
    box.jobs, box.serving = jobs.JobEngine(box), serving.Serving(box)
    box.schedules = schedules.Scheduler(box)


async def start_work(box: Box) -> None:
    """Make ready what a workspace has from its beginning, then take up jobs, deployments and schedules."""
    await asyncio.to_thread(_prepare, box)
    compute_routes.fail_unfinished(box)
    registry_routes.fail_unfinished(box)
    await box.jobs.start()
    await box.serving.start()
    await box.schedules.start()


async def stop_work(box: Box) -> None:
    """End all schedules, deployments and jobs."""
    await box.schedules.stop()
    await box.serving.stop()
    await box.jobs.stop()


def _prepare(box: Box) -> None:
    """Registries first, then containers: the workspace's default datastores must exist before the first request."""
    for name, folder in box.config.registries.items():
        publish_all(box, name, Path(folder))
    box.storage.wait_until_ready()
    for name, doc in default_datastores(box).items():
        box.store.put("datastores", name, doc)
        box.storage.ensure_container(doc["properties"]["containerName"])
