"""Serves a host over HTTPS on a socket of its own or one that it inherits."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import uvicorn

from local.functions_host.host import GRACE, Host


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: those raise the signal again at the end, and exit 0 is what is wanted."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End as soon as running requests have ended.

        uvicorn waits for each connection to be closed by its client too, and over TLS an idle one in a client's pool
        never is: the client doesn't read TLS's goodbye until it next uses the connection.
        """
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        if self.server_state.tasks:
            await asyncio.wait(set(self.server_state.tasks), timeout=GRACE)
        await asyncio.sleep(0.1)  # the last answers go out
        for connection in list(self.server_state.connections):
            transport: Any = connection.transport
            transport.abort()
        await super().shutdown(sockets)


def listen(port: int | None, fd: int | None) -> socket.socket:
    """Take the inherited listening socket, or bind one to 127.0.0.1."""
    if fd is not None:
        return socket.socket(fileno=fd)
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind(("127.0.0.1", port or 0))
    bound.listen(512)
    return bound


def serve(host: Host, sock: socket.socket, cert: Path, key: Path) -> None:
    """Run until SIGTERM or SIGINT; then take no more work, let what runs end, and return."""
    config = uvicorn.Config(
        host.application(),
        ssl_certfile=cert,
        ssl_keyfile=str(key),
        http="httptools",
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=1,
        server_header=False,
    )
    asyncio.run(_serve(_Server(config), host, sock))


async def _serve(server: _Server, host: Host, sock: socket.socket) -> None:
    def end() -> None:
        host.stop_taking_work()
        server.should_exit = True

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)
    await server.serve(sockets=[sock])
