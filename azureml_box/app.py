"""Builds the emulator: one Box, one Starlette application; background work begins and ends with its lifespan."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from azureml_box import (
    asset_routes,
    code_routes,
    compute_instances,
    compute_routes,
    datastore_routes,
    discovery,
    jobs,
    locations,
    preflight_routes,
    registry_routes,
    serving,
)
from azureml_box.config import Config
from azureml_box.context import Box
from azureml_box.datastores import default_datastores
from azureml_box.errors import ArmError
from azureml_box.events import EventPublisher
from azureml_box.middleware import Gate, Unsupported, arm_error, unexpected
from azureml_box.operations import Operations
from azureml_box.publishing import publish_all
from azureml_box.storage import BlobStorage
from azureml_box.store import Store

_VERBS = ["GET", "PUT", "POST", "PATCH", "DELETE", "HEAD"]


def make_box(config: Config) -> Box:
    """The Box with everything in it; nothing runs yet."""
    store = Store(config.home / "azureml.sqlite")
    box = Box(config, store, BlobStorage(config), EventPublisher(config), Operations(store))
    box.jobs, box.serving = jobs.JobEngine(box), serving.Serving(box)
    return box


def build(config: Config) -> Starlette:
    """The ASGI application."""
    box = make_box(config)

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        await _start(box)
        yield
        await _stop(box)

    handlers = {ArmError: arm_error, Exception: unexpected}
    app = Starlette(
        routes=_routes(box), lifespan=lifespan, middleware=[Middleware(Gate, box=box)], exception_handlers=handlers
    )
    app.state.box = box
    return app


def _routes(box: Box) -> list[BaseRoute]:
    resources = (datastore_routes, compute_routes, compute_instances, registry_routes, code_routes, asset_routes)
    parts = (discovery, locations, preflight_routes, *resources, jobs, serving)
    known: list[BaseRoute] = [Route("/healthz", _health), *box.operations.routes()]
    for part in parts:
        known.extend(part.routes(box))
    unsupported = Unsupported(box)
    known.append(Route("/_emulator/unsupported", unsupported.report))
    return [*known, Route("/{path:path}", unsupported.refuse, methods=_VERBS)]


async def _health(_request: Request) -> Response:
    return JSONResponse({"status": "Healthy"})


async def _start(box: Box) -> None:
    box.operations.interrupt_unfinished()
    await asyncio.to_thread(_prepare, box)
    await box.events.start()
    await box.jobs.start()
    await box.serving.start()


def _prepare(box: Box) -> None:
    """Registries first, then containers: the workspace's default datastores must exist before the first request."""
    for name, folder in box.config.registries.items():
        publish_all(box, name, Path(folder))
    box.storage.wait_until_ready()
    for name, doc in default_datastores(box).items():
        box.store.put("datastores", name, doc)
        box.storage.ensure_container(doc["properties"]["containerName"])


async def _stop(box: Box) -> None:
    await box.serving.stop()
    await box.jobs.stop()
    await box.events.stop()
    box.store.close()
