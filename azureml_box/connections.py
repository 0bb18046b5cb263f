"""uvicorn's HTTP connection, with its transport in the scope: a fault can then reset it."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Any

from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_EXTENSION = "azureml_box.connection"
_FAREWELL_SECONDS = 0.1
_NO_LINGER = struct.pack("ii", 1, 0)


class Connection(HttpToolsProtocol):
    """Each request's scope leads to its connection, as an ASGI extension."""

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        scope: dict[str, Any] = self.scope  # type: ignore[assignment]
        scope["extensions"] = {_EXTENSION: {"transport": self.transport}}

    def shutdown(self) -> None:
        """The emulator is stopping: an idle connection ends now, without waiting for its client to say farewell."""
        if self.cycle is None or self.cycle.response_complete:
            self.transport.abort()
        else:
            super().shutdown()


def reset(scope: Scope) -> None:
    """End the request's connection by a TCP reset."""
    transport = _transport(scope)
    plain = transport.get_extra_info("socket")
    if plain is not None:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    transport.abort()


def close(scope: Scope) -> None:
    """End the request's connection in order; a client that does not answer TLS's farewell is not waited for."""
    transport = _transport(scope)
    transport.close()
    asyncio.get_running_loop().call_later(_FAREWELL_SECONDS, transport.abort)


def _transport(scope: Scope) -> asyncio.Transport:
    found: asyncio.Transport = scope["extensions"][_EXTENSION]["transport"]
    return found
