"""The host's own pages: `/admin/host/ping`, `/admin/host/status`, `/admin/functions`, and running one by hand.

Source: https://learn.microsoft.com/azure/azure-functions/functions-manually-run-non-http
"""

import asyncio
import json
import time
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from local.functions_host.index import Function
from local.functions_host.invoker import Invoker, document, text
from local.functions_host.keys import Keys
from local.functions_host.timer_trigger import timer_datum_text


class Admin:
    """What an operator asks the host."""

    def __init__(self, host_id: str, functions: list[Function], invoker: Invoker, keys: Keys) -> None:
        self._host_id, self._invoker, self._keys = host_id, invoker, keys
        self._functions = functions
        self._started = time.monotonic()
        self._by_hand: set[asyncio.Task[Any]] = set()

    def routes(self) -> list[Route]:
        """All admin paths."""
        return [
            Route("/admin/host/ping", self.ping, methods=["GET", "POST"]),
            Route("/admin/host/status", self.status, methods=["GET"]),
            Route("/admin/functions", self.list, methods=["GET"]),
            Route("/admin/functions/{name}", self.run, methods=["POST"]),
        ]

    async def ping(self, _: Request) -> Response:
        """Say that the host is up; no key."""
        return Response(status_code=200)

    async def status(self, request: Request) -> Response:
        """Show state and errors."""
        if not self._keys.opens_admin(request):
            return Response(status_code=401)
        errors = [f"{f.name}: {f.error}" for f in self._functions if f.error]
        uptime = int((time.monotonic() - self._started) * 1000)
        return JSONResponse({"id": self._host_id, "state": "Running", "processUptime": uptime, "errors": errors})

    async def list(self, request: Request) -> Response:
        """Show each function with its bindings as they were resolved."""
        if not self._keys.opens_admin(request):
            return Response(status_code=401)
        return JSONResponse([describe(function) for function in self._functions])

    async def run(self, request: Request) -> Response:
        """Run a function that is no HTTP function on `{"input": …}`; 202 before it has run."""
        if not self._keys.opens_admin(request):
            return Response(status_code=401)
        name = request.path_params["name"].lower()
        function = next((f for f in self._functions if f.name.lower() == name and f.is_offered), None)
        if function is None:
            return Response(status_code=404)
        try:
            doc = json.loads(await request.body() or b"{}")
            datum, metadata = by_hand(function, doc.get("input", ""))
        except (ValueError, AttributeError) as error:
            return PlainTextResponse(f'the body must be {{"input": …}}: {error}', 400)
        task = asyncio.create_task(self._invoker.invoke(function, datum, metadata))
        self._by_hand.add(task)
        task.add_done_callback(self._by_hand.discard)
        return Response(status_code=202)


def describe(function: Function) -> dict[str, Any]:
    """One row of `/admin/functions`."""
    return {
        "name": function.name,
        "config": {"bindings": function.bindings},
        "language": "python",
        "isDisabled": function.disabled,
        "error": function.error,
    }


def by_hand(function: Function, given: Any) -> tuple[Any, Any]:
    """Make datum and metadata of the input; an HTTP function is called by its own route instead."""
    kind = function.trigger["type"]
    as_text = given if isinstance(given, str) else json.dumps(given)
    if kind == "timerTrigger":
        return document(timer_datum_text(False, None)), None
    if kind == "queueTrigger":
        return text(as_text), {"Id": text("by-hand"), "DequeueCount": text("1"), "PopReceipt": text("")}
    if kind == "eventGridTrigger":
        if not isinstance(json.loads(as_text), dict):
            raise ValueError("an event must be a JSON object")
        return document(as_text), None
    raise ValueError(f"{function.name} is an HTTP function: call its route")
