"""POST over HTTP/1.1 with connections that are kept: the scoring path's client (docs/adr/0011-own-http-client.md).

It does what asking an endpoint needs, and nothing else: no redirects, no cookies, no compression, no proxy.
"""

from __future__ import annotations

import asyncio
import ssl
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urlsplit

from shared.azure.http_response import BadResponseError, Response
from shared.azure.seen import Reply

CONNECT_SECONDS = 5.0
TOTAL_SECONDS = 180.0
IDLE_SECONDS = 60.0
UNREACHED, TOO_LATE = Reply(0), Reply(408)


class Place(NamedTuple):
    """Where a URL leads."""

    host: str
    port: int
    is_tls: bool


@lru_cache(maxsize=1024)
def _target(url: str) -> tuple[Place, bytes]:
    """The place, and the first lines of a request there."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{url!r} is no address of an endpoint")
    is_tls = parts.scheme == "https"
    place = Place(parts.hostname, parts.port or (443 if is_tls else 80), is_tls)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    host = parts.netloc.rpartition("@")[2]
    return place, f"POST {path} HTTP/1.1\r\nHost: {host}\r\n".encode("ascii")


@lru_cache(maxsize=1)
def _trust() -> ssl.SSLContext:
    return ssl.create_default_context()


class _StaleError(Exception):
    """The connection was closed before anything of a response came: most likely before the request."""


class _Connection(asyncio.Protocol):
    """One connection: one request at a time."""

    def __init__(self) -> None:
        self.is_open, self.idle_since, self.response = True, 0.0, Response()
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if self._answer is None:
            self.close()  # nobody asked
            return
        try:
            self.response.feed(data)
        except BadResponseError as error:
            self._fail(error)
        else:
            self._tell()

    def connection_lost(self, error: Exception | None) -> None:
        self.is_open = False
        try:
            if self._answer is not None:
                self.response.end()
                self._tell()
        except BadResponseError as cause:
            self._fail(cause)

    async def ask(self, request: bytes, seconds: float) -> Response:
        """The whole response to a request.

        Raises:
            TimeoutError: it did not come in time.
            BadResponseError: something else came, or the connection was closed.
        """
        loop = asyncio.get_running_loop()
        self.response, self._answer = Response(), loop.create_future()
        assert self._transport is not None
        late = loop.call_later(seconds, self._fail, TimeoutError())
        try:
            self._transport.write(request)
            await self._answer
        except BaseException:
            self.close()
            raise
        finally:
            late.cancel()
            self._answer = None
        if not self.response.keeps:
            self.close()
        return self.response

    def close(self) -> None:
        """Ends it at once."""
        self.is_open = False
        if self._transport is not None:
            self._transport.abort()

    def _tell(self) -> None:
        if self.response.done and self._answer is not None and not self._answer.done():
            self._answer.set_result(None)

    def _fail(self, error: Exception) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)


class HttpPool:
    """Connections of one event loop, kept by place."""

    def __init__(self) -> None:
        self._idle: dict[Place, list[_Connection]] = {}

    async def post(self, url: str, headers: dict[str, str], body: bytes, seconds: float = TOTAL_SECONDS) -> Reply:
        """The answer; status 0: it could not be reached, 408: it did not answer within `seconds`.

        Raises:
            ValueError: the URL or a header is none.
        """
        place, first = _target(url)
        request = first + _head(headers, len(body)) + body
        while (kept := self._take(place)) is not None:
            try:
                return await self._asked(place, kept, request, seconds)
            except _StaleError:
                continue
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                trust = _trust() if place.is_tls else None
                connect = asyncio.get_running_loop().create_connection
                _, made = await connect(_Connection, place.host, place.port, ssl=trust)
        except (OSError, TimeoutError):
            return UNREACHED
        try:
            return await self._asked(place, made, request, seconds)
        except _StaleError:
            return UNREACHED

    async def _asked(self, place: Place, connection: _Connection, request: bytes, seconds: float) -> Reply:
        try:
            response = await connection.ask(request, seconds)
        except TimeoutError:
            return TOO_LATE
        except BadResponseError as error:
            if connection.response.begun:
                return UNREACHED
            raise _StaleError from error
        if connection.is_open:
            connection.idle_since = asyncio.get_running_loop().time()
            self._idle.setdefault(place, []).append(connection)
        return Reply(response.status, response.headers, response.body)

    def _take(self, place: Place) -> _Connection | None:
        """The connection that was used last, where it is still good."""
        idle, present = self._idle.get(place, []), asyncio.get_running_loop().time()
        while idle:
            kept = idle.pop()
            if kept.is_open and present - kept.idle_since < IDLE_SECONDS:
                return kept
            kept.close()
        return None


def _head(headers: dict[str, str], length: int) -> bytes:
    lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    if lines.count("\n") != len(headers) or lines.count("\r") != len(headers):
        raise ValueError("a header may not have a line break")
    return f"{lines}Content-Length: {length}\r\n\r\n".encode("latin-1")
