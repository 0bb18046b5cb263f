"""Outgoing requests go where Azure said and nowhere else, whatever the answer says (docs/security.md)."""

from __future__ import annotations

import ast
import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from shared.azure import wire
from shared.azure.inference import AzureInference
from shared.errors import ServiceError

pytestmark = pytest.mark.stack
ROOT = Path(__file__).parents[2]
KEY = "key-of-the-endpoint"
# Modules of production code that may open a connection of their own; all else goes through Azure's SDKs.
CONNECTING = {"shared/azure/inference.py", "shared/azure/webhooks.py", "shared/azure/wire.py"}
LIBRARIES = {"requests", "aiohttp", "httpx", "urllib3", "http", "socket", "urllib.request", "ftplib", "smtplib"}


@contextmanager
def server(answer: dict[str, str] | None = None) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """A server that sends everybody elsewhere, or says yes; and the headers of whoever came."""
    seen: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("content-length") or 0))
            seen.append(dict(self.headers))
            self.send_response(307 if answer else 200)
            for name, value in {"content-length": "0", **(answer or {})}.items():
                self.send_header(name, value)
            self.end_headers()

        do_GET = do_POST

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{made.server_port}/score", seen
    finally:
        made.shutdown()
        made.server_close()


@pytest.mark.parametrize("way", ["probe", "ask"])
def test_an_endpoint_that_points_elsewhere_takes_key_and_prompt_nowhere(way: str) -> None:
    with server() as (elsewhere, stranger), server({"location": elsewhere}) as (uri, seen):
        inference = AzureInference()
        if way == "probe":
            reply = inference.probe(uri, KEY, "blue", b"{}")
        else:
            reply = asyncio.run(inference.ask(uri, KEY, b"{}"))
        assert (reply.status, len(seen), stranger) == (307, 1, [])


def test_a_storage_that_points_elsewhere_takes_our_token_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "credential", lambda: SimpleNamespace(get_token=lambda _: SimpleNamespace(token="t")))
    with server() as (elsewhere, stranger), server({"location": elsewhere}) as (url, seen):
        with pytest.raises(ServiceError), wire.call("read", "GET", url, {}, 200):
            raise AssertionError("unreachable")
        assert (len(seen), stranger) == (1, [])


def imported(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
    return found


def test_only_three_modules_open_connections_of_their_own() -> None:
    connecting = set()
    for folder in ("shared", "functions"):
        for path in (ROOT / folder).rglob("*.py"):
            names = imported(path)
            if any(name == library or name.startswith(f"{library}.") for name in names for library in LIBRARIES):
                connecting.add(path.relative_to(ROOT).as_posix())
    assert connecting - {"shared/azure/ranges.py"} == CONNECTING  # ranges.py: the type of an answer, no connection
