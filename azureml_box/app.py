"""Builds the emulator: one Box, one Starlette application; background work begins and ends with its lifespan."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from azureml_box import (
    asset_routes,
    code_routes,
    compute_instances,
    compute_routes,
    control_routes,
    datastore_routes,
    discovery,
    identity_routes,
    jobs,
    lifetime,
    locations,
    preflight_routes,
    registry_imports,
    registry_routes,
    schedules,
    serving,
    snapshots,
)
from azureml_box.config import Config
from azureml_box.context import Box
from azureml_box.errors import ArmError
from azureml_box.events import EventPublisher
from azureml_box.faults.middleware import Faults
from azureml_box.middleware import Gate, Unsupported, arm_error, unexpected
from azureml_box.operations import Operations
from azureml_box.provisioning import Provisioning
from azureml_box.resetting import current
from azureml_box.storage import BlobStorage
from azureml_box.store import Store

_VERBS = ["GET", "PUT", "POST", "PATCH", "DELETE", "HEAD"]


def make_box(config: Config) -> Box:
    """The Box with everything in it; nothing runs yet."""
    store = Store(config.home / "azureml.sqlite")
    config = current(config, store)
    box = Box(config, store, BlobStorage(config), EventPublisher(config), Operations(store))
    box.provisioning = Provisioning(config.provisioning, config.time_scale)
    lifetime.renew(box)
    return box


def build(config: Config) -> ASGIApp:
    """The ASGI application."""
    box = make_box(config)

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        await _start(box)
        yield
        await _stop(box)

    handlers = {ArmError: arm_error, Exception: unexpected}
    app = Starlette(
        routes=routes(box), lifespan=lifespan, middleware=[Middleware(Gate, box=box)], exception_handlers=handlers
    )
    app.state.box = box
    return Faults(app, box)


def routes(box: Box) -> list[BaseRoute]:
    """Every route; the last one refuses what no other takes."""
    resources = (
        datastore_routes,
        compute_routes,
        compute_instances,
        registry_routes,
        registry_imports,
        code_routes,
        asset_routes,
    )
    parts = (discovery, locations, preflight_routes, *resources, jobs, schedules, serving)
    known: list[BaseRoute] = [Route("/healthz", _health), *box.operations.routes()]
    for part in (*parts, identity_routes, control_routes):
        known.extend(part.routes(box))
    unsupported = Unsupported(box)
    known.append(Route("/_emulator/unsupported", unsupported.report))
    return [*known, Route("/{path:path}", unsupported.refuse, methods=_VERBS)]


async def _health(_request: Request) -> Response:
    """Whether it is ready."""
    return JSONResponse({"status": "Healthy"})


async def _start(box: Box) -> None:
    await snapshots.resume(box)
    box.operations.interrupt_unfinished()
    await box.events.start()
    await lifetime.start_work(box)


async def _stop(box: Box) -> None:
    await lifetime.stop_work(box)
    await box.events.stop()
    box.store.close()
