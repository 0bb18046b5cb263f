"""Long-running operations: what the URLs in `Azure-AsyncOperation` and `Location` answer.

Source: the asynchronous operations of the ARM resource provider contract.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Awaitable
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from azureml_box.errors import ArmError, NotFound
from azureml_box.http import json
from azureml_box.store import Store

_KIND = "operations"
_log = logging.getLogger(__name__)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Operations:
    """Operations by id, kept in the store so that a client may go on polling after a restart."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._running: set[asyncio.Task[None]] = set()

    def create(self, kind: str) -> str:
        """Begin an operation; its id goes into the poll URL."""
        operation = str(uuid.uuid4())
        self._store.put(_KIND, operation, {"id": operation, "name": kind, "status": "InProgress", "startTime": _now()})
        return operation

    def succeed(self, operation: str) -> None:
        """End it well."""
        self._end(operation, {"status": "Succeeded", "percentComplete": 100})

    def fail(self, operation: str, code: str, message: str) -> None:
        """End it badly; the SDK raises HttpResponseError with this code and message."""
        self._end(operation, {"status": "Failed", "error": {"code": code, "message": message, "details": []}})

    def start(self, kind: str, work: Awaitable[None] | None = None) -> str:
        """Begin an operation that ends with `work`, or at once when there is none."""
        operation = self.create(kind)
        if work is None:
            self.succeed(operation)
        else:
            task = asyncio.get_running_loop().create_task(self._follow(operation, work))
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        return operation

    async def stop(self) -> None:
        """Cut short what is under way; their clients read that it was canceled."""
        for task in list(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def interrupt_unfinished(self) -> int:
        """Fail what a former process left in progress; call it at the start, before any request."""
        left = [doc["id"] for doc in self._store.list(_KIND) if doc["status"] == "InProgress"]
        for operation in left:
            self.fail(operation, "OperationInterrupted", "The emulator stopped while this operation ran. Try again.")
        return len(left)

    def routes(self) -> list[Route]:
        """What `Azure-AsyncOperation` and `Location` lead to."""
        one = "/operations/{operation}"
        return [Route(one, self._get, methods=["GET"]), Route(f"{one}/result", self._result, methods=["GET"])]

    async def _get(self, request: Request) -> Response:
        """How far a long-running operation is"""
        doc = self._found(request)
        return json(doc, headers={"Retry-After": "1"} if doc["status"] == "InProgress" else {})

    async def _result(self, request: Request) -> Response:
        """The same for clients that poll `Location`: 202 until it has ended"""
        doc = self._found(request)
        if doc["status"] == "Failed":
            raise ArmError(400, doc["error"]["code"], doc["error"]["message"])
        if doc["status"] == "InProgress":
            return json({}, 202, {"Location": str(request.url), "Retry-After": "1"})
        return Response(status_code=200)

    def _found(self, request: Request) -> dict[str, Any]:
        operation = request.path_params["operation"]
        doc = self._store.get(_KIND, operation)
        if doc is None:
            raise NotFound(f"There is no operation {operation}.", "OperationNotFound")
        return doc

    async def _follow(self, operation: str, work: Awaitable[None]) -> None:
        try:
            await work
        except ArmError as error:
            self.fail(operation, error.code, error.message)
        except asyncio.CancelledError:
            self.fail(operation, "OperationCanceled", "The emulator is stopping.")
            raise
        except Exception as error:  # noqa: BLE001 - whatever broke, the client must hear of it
            _log.exception("operation %s broke", operation)
            self.fail(operation, "InternalServerError", f"{type(error).__name__}: {error}")
        else:
            self.succeed(operation)

    def _end(self, operation: str, fields: dict[str, Any]) -> None:
        doc = self._store.get(_KIND, operation) or {"id": operation, "name": operation}
        self._store.put(_KIND, operation, {**doc, **fields, "endTime": _now()})
