"""An HTTPS relay in front of storage that breaks chosen calls, and remembers which it broke."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import urllib3


@dataclass
class Fault:
    """What happens to the next `times` calls that match; `kind` is `cut`, `reset`, `silence`, `flip` or a status."""

    kind: str
    times: int = 1
    matches: Callable[[str, dict[str, str]], bool] = lambda method, headers: "x-ms-range" in headers
    headers: dict[str, str] = field(default_factory=dict)


class FaultyProxy:
    """Forwards to `upstream`; `fired` lists the faults that happened, `seen` the calls."""

    def __init__(self, upstream: str, certificate: str, key: str, authorities: str) -> None:
        self.faults: list[Fault] = []
        self.fired: list[str] = []
        self.seen: list[dict[str, str]] = []
        self.lock = threading.Lock()
        self.upstream, self.pool = upstream, urllib3.PoolManager(ca_certs=authorities, maxsize=16)
        self.server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"proxy": self}))
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"https://127.0.0.1:{self.server.server_address[1]}"

    def take(self, method: str, headers: dict[str, str]) -> Fault | None:
        """The fault for a call, if there is one."""
        with self.lock:
            self.seen.append({"method": method, **headers})
            for fault in self.faults:
                if fault.times and fault.matches(method, headers):
                    fault.times -= 1
                    self.fired.append(fault.kind)
                    return fault
        return None

    def close(self) -> None:
        """Ends the relay."""
        self.server.shutdown()
        self.server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """A client that hangs up is what is tested."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    proxy: FaultyProxy

    def _relay(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        fault = self.proxy.take(self.command, headers)
        if fault and fault.kind.isdigit():
            self._answer(int(fault.kind), fault.headers, b"<Error><Message>as told</Message></Error>")
        elif fault and fault.kind == "silence":
            self.close_connection = True
            threading.Event().wait(5)
        elif fault and fault.kind == "flip":
            self._forward(bytes([body[0] ^ 1]) + body[1:], headers)
        else:
            self._forward(body, headers, fault)

    do_GET = do_PUT = do_HEAD = do_DELETE = _relay

    def _forward(self, body: bytes, headers: dict[str, str], fault: Fault | None = None) -> None:
        kept = {name: value for name, value in headers.items() if name not in ("host", "connection")}
        found = self.proxy.pool.request(
            self.command, self.proxy.upstream + self.path, body=body, headers=kept, decode_content=False, retries=False
        )
        answered = {k: v for k, v in found.headers.items() if k.lower() not in ("connection", "transfer-encoding")}
        self._answer(found.status, answered, found.data, fault)

    def _answer(self, status: int, headers: dict[str, str], body: bytes, fault: Fault | None = None) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            if name.lower() != "content-length":
                self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body if not fault else body[: len(body) // 2])
        if fault:
            self._hang_up(fault.kind)

    def _hang_up(self, kind: str) -> None:
        self.wfile.flush()
        self.close_connection = True
        if kind == "reset":
            now = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, now)
            self.connection._sslobj = None  # no farewell of TLS: the bare connection breaks
            self.connection.close()

    def log_message(self, *_: object) -> None:
        """Silent."""
