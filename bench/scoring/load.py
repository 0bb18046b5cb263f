"""Callers that ask again as soon as they are answered: `python -m bench.scoring.load URL KEY MODEL CALLERS SECONDS`.

Prints JSON: requests a second, and the median and 99th percentile of the time to an answer in ms. Anything but a 200 ends it.
"""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import sys
import time
from urllib.parse import urlsplit

from bench.scoring.wire import message_end

WARM_SECONDS = 0.4
MESSAGES = [
    {"role": "system", "content": "You are the support of a shop. Answer shortly and kindly."},
    {"role": "user", "content": "Hello, I ordered two cups last week, order 10234. When will they be here, please?"},
]


def request(url: str, key: str, model: str) -> bytes:
    """The request's bytes."""
    parts = urlsplit(url)
    body = json.dumps({"model": model, "messages": MESSAGES, "temperature": 0, "max_tokens": 64}).encode()
    head = (
        f"POST {parts.path} HTTP/1.1\r\nhost: {parts.netloc}\r\nauthorization: Bearer {key}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Caller(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self, asked: bytes, times: list[float], failed: asyncio.Future[None]) -> None:
        self._asked, self._times, self._failed = asked, times, failed
        self._data = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asks."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._ask()

    def _ask(self) -> None:
        self._data.clear()
        self._began = time.perf_counter()
        self._transport.write(self._asked)

    def data_received(self, data: bytes) -> None:
        """Notes the time of a whole answer, and asks again."""
        self._data += data
        if not message_end(self._data):
            return
        if not self._data.startswith(b"HTTP/1.1 200"):
            if not self._failed.done():
                self._failed.set_exception(RuntimeError(bytes(self._data[:600]).decode("utf-8", "replace")))
            return
        self._times.append(time.perf_counter() - self._began)
        self._ask()

    def connection_lost(self, error: Exception | None) -> None:
        """A server that closes is no fair contestant."""
        if not self._failed.done():
            self._failed.set_exception(RuntimeError(f"the connection was closed: {error}"))


async def load(url: str, key: str, model: str, callers: int, seconds: float) -> dict[str, float]:
    """Keeps so many callers asking for so long, after a while to warm up."""
    loop = asyncio.get_running_loop()
    parts, asked = urlsplit(url), request(url, key, model)
    times: list[float] = []
    failed: asyncio.Future[None] = loop.create_future()
    context = ssl.create_default_context(cafile=os.environ.get("SSL_CERT_FILE")) if parts.scheme == "https" else None
    host, port = str(parts.hostname), int(parts.port or 443)
    for _ in range(callers):
        await loop.create_connection(lambda: Caller(asked, times, failed), host, port, ssl=context)
    await asyncio.wait([failed], timeout=WARM_SECONDS)
    times.clear()
    began = time.perf_counter()
    await asyncio.wait([failed], timeout=seconds)
    took, found = time.perf_counter() - began, sorted(times)
    if failed.done():
        failed.result()
    failed.cancel()
    if not found:
        raise RuntimeError(f"{url} answered nothing within {seconds} s")
    return {
        "rate": len(found) / took,
        "median_ms": found[len(found) // 2] * 1000,
        "p99_ms": found[min(len(found) - 1, int(len(found) * 0.99))] * 1000,
    }


if __name__ == "__main__":
    found = asyncio.run(load(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), float(sys.argv[5])))
    print(json.dumps(found))
    sys.stdout.flush()
    os._exit(0)  # open connections need no goodbye
