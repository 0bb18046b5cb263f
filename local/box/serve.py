"""Serves an ASGI application over the box's HTTPS until SIGTERM."""

import contextlib
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: those raise the signal again, and the end here is exit status 0."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.handle_exit)
        yield


def serve(application: ASGIApp, port: int, ca: Path) -> None:
    """Listen on 127.0.0.1 only; requests that run at SIGTERM get a second to end."""
    config = uvicorn.Config(
        application,
        ssl_certfile=ca / "server.pem",
        ssl_keyfile=str(ca / "server.key"),
        http="httptools",
        ws="none",
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=1,
        timeout_keep_alive=120,
        server_header=False,
    )
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", port))
        listening.listen(512)
        print(f"listening at https://127.0.0.1:{listening.getsockname()[1]}", flush=True)
        _Server(config).run(sockets=[listening])
