"""Doing to an answer what a fault says."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass, field
from typing import Any

from starlette.types import Message, Receive, Scope, Send

from azureml_box import connections
from azureml_box.faults.effects import HALVES, Effect


@dataclass
class Held:
    """An answer that was made and not sent."""

    start: dict[str, Any] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)

    async def send(self, message: Message) -> None:
        """Take in what the application sends."""
        if message["type"] == "http.response.start":
            self.start = dict(message)
        elif message["type"] == "http.response.body":
            self.body += message.get("body", b"")

    @property
    def status(self) -> int | None:
        """The status, None where nothing was answered."""
        return self.start.get("status")


async def emit(effect: Effect, scope: Scope, receive: Receive, send: Send, held: Held) -> int | None:
    """Send what the client gets, and return its status; None where it gets none. `held` is the true answer, if any."""
    kind = effect.kind
    if kind == "delay":
        await send(held.start)
        await send({"type": "http.response.body", "body": bytes(held.body)})
        return held.status
    halved = kind in HALVES and bool(held.body) and scope["method"] != "HEAD"
    if halved:
        await _half(send, held)
    elif kind in ("status", "html", "garbage"):
        status, headers, body = effect.answer()
        await _whole(send, status, [(name.encode(), value.encode()) for name, value in headers.items()], body)
        return status
    if kind in ("close", "half"):
        connections.close(scope)
    elif kind in ("reset", "half_reset"):
        connections.reset(scope)
    await _until_gone(receive)
    return held.status if halved else None


async def _whole(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    own = [(b"content-length", str(len(body)).encode()), (b"x-ms-request-id", str(uuid.uuid4()).encode())]
    await send({"type": "http.response.start", "status": status, "headers": [*headers, *own]})
    await send({"type": "http.response.body", "body": body})


async def _half(send: Send, held: Held) -> None:
    headers = [pair for pair in held.start.get("headers", []) if pair[0].lower() != b"content-length"]
    length = (b"content-length", str(len(held.body)).encode())
    await send({**held.start, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": bytes(held.body[: len(held.body) // 2]), "more_body": True})
    await asyncio.sleep(0.05)  # a reset at once would take what is still on its way with it


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
