"""Wires one host: the app's functions, their listeners, the web application."""

import asyncio
import contextlib
import logging
import time
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from local.functions_host.admin import Admin
from local.functions_host.errors import HostError
from local.functions_host.eventgrid_trigger import EventGridWebhook
from local.functions_host.host_json import read_host_json
from local.functions_host.http_routes import starlette_paths
from local.functions_host.http_trigger import http_routes
from local.functions_host.index import Function, index, load_app
from local.functions_host.invoker import Invoker
from local.functions_host.keys import Keys
from local.functions_host.queue_output import queue_sender
from local.functions_host.queue_trigger import QueueListener
from local.functions_host.storage import StorageClients
from local.functions_host.timer_store import TimerStore
from local.functions_host.timer_trigger import TimerListener

log = logging.getLogger(__name__)
GRACE = 5.0  # seconds that running invocations have when the host ends


@dataclass(frozen=True)
class HostOptions:
    """What the command line says; `instance` tells apart the processes of one host."""

    app: Path
    host_id: str
    instance: str


class Host:
    """One process of the functions host."""

    def __init__(self, options: HostOptions, settings: Mapping[str, str]) -> None:
        self.options, self._settings = options, settings
        self.config = read_host_json(options.app / "host.json")
        threads = int(settings.get("PYTHON_THREADPOOL_THREAD_COUNT") or 8)
        self._clients = StorageClients(settings)
        send = queue_sender(self._clients, self.config.queues.base64)
        self._invoker = Invoker(options.app, threads, self.config.function_timeout, send)
        self.functions = index(load_app(options.app), settings)
        self._listeners: list[QueueListener | TimerListener] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._deadline: float | None = None

    def application(self) -> Starlette:
        """Make the web application; its lifespan starts and ends the listeners."""
        keys = Keys.from_settings(self._settings)
        self.functions = [self._usable(function) for function in self.functions]
        routes = [
            *Admin(self.options.host_id, self.functions, self._invoker, keys).routes(),
            *EventGridWebhook(self._having("eventGridTrigger"), self._invoker, keys).routes(),
            *http_routes(self._having("httpTrigger"), self.config.route_prefix, self._invoker, keys),
        ]
        # Azure knows no 405: a method that no function has is an unknown path.
        app = Starlette(routes=routes, lifespan=self._lifespan, exception_handlers={404: _not_found, 405: _not_found})
        app.router.redirect_slashes = False
        return app

    def stop_taking_work(self) -> None:
        """Stop the listeners; what runs has GRACE seconds from the first call on."""
        self._deadline = self._deadline or time.monotonic() + GRACE
        for listener in self._listeners:
            listener.stop()

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        self._listeners = [self._listener(f) for f in (*self._having("queueTrigger"), *self._having("timerTrigger"))]
        self._tasks = [asyncio.create_task(listener.run()) for listener in self._listeners]
        log.info(
            "%d functions are offered, %d have errors", len(self._offered()), len(self.functions) - len(self._offered())
        )
        yield
        await self._end()

    async def _end(self) -> None:
        self.stop_taking_work()
        left = (self._deadline or 0) - time.monotonic()
        if late := await self._invoker.drain(max(0.0, left)):
            log.warning("%d invocations were cut off after %s s", late, GRACE)
        releases = [listener.release() for listener in self._listeners if isinstance(listener, QueueListener)]
        # A storage that is down must not keep the host from ending: then messages come again when they become visible.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.gather(*releases, return_exceptions=True), 1)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=1)
        for task in self._tasks:
            task.cancel()
        await self._clients.close()

    def _offered(self) -> list[Function]:
        return [function for function in self.functions if function.is_offered]

    def _having(self, trigger: str) -> list[Function]:
        return [function for function in self._offered() if function.trigger["type"] == trigger]

    def _usable(self, function: Function) -> Function:
        """Find out now what would fail later: a schedule, a route, a connection."""
        if not function.is_offered:
            return function
        try:
            kind = function.trigger["type"]
            if kind == "httpTrigger":
                starlette_paths(self.config.route_prefix, str(function.trigger.get("route") or ""))
            elif kind in ("queueTrigger", "timerTrigger"):
                self._listener(function)
        except HostError as error:
            log.error("function %s isn't offered: %s", function.name, error)
            return Function(function.name, function.call, function.bindings, error=str(error))
        return function

    def _listener(self, function: Function) -> QueueListener | TimerListener:
        trigger = function.trigger
        if trigger["type"] == "timerTrigger":
            lease = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{self.options.host_id}/{self.options.instance}"))
            return TimerListener(
                function, TimerStore(self._clients.blobs(), self.options.host_id, function.name, lease), self._invoker
            )
        name, connection = trigger["queueName"], trigger.get("connection", "")
        queue, poison = (self._clients.queue(n, connection) for n in (name, f"{name}-poison"))
        return QueueListener(function, queue, poison, self.config.queues, self._invoker)


async def _not_found(_: Request, __: Exception) -> Response:
    return Response(status_code=404)
