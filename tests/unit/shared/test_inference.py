"""Asking an endpoint: what is late, what breaks off, what is kept, whom it names."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from shared.azure.inference import AzureInference

PLAIN = b"HTTP/1.1 200 OK\r\nX-Thing: a\r\nContent-Length: 5\r\n\r\nhello"
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def _with_server(handle: Handler, use: Callable[[AzureInference, str], Awaitable[None]]) -> None:
    async def run() -> None:
        server = await asyncio.start_server(handle, "127.0.0.1", 0)
        client = AzureInference(seconds=0.2)
        try:
            await use(client, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/score")
        finally:
            await client._session().close()
            server.close()

    asyncio.run(run())


async def _request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    return head + await reader.readexactly(length)


def test_a_connection_is_kept_and_the_deployment_is_named_where_one_is() -> None:
    seen: list[bytes] = []
    opened = 0

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal opened
        opened += 1
        for _ in range(2):
            seen.append((await _request(reader)).lower())
            writer.write(PLAIN)
        writer.close()

    async def use(client: AzureInference, url: str) -> None:
        reply = await client.ask(url, "k", b"one")
        assert (reply.status, reply.headers["x-thing"], reply.body) == (200, "a", b"hello")
        await client.ask(url, "k", b"two", "r-1")

    _with_server(handle, use)
    assert opened == 1
    assert b"authorization: bearer k" in seen[0]
    assert b"azureml-model-deployment" not in seen[0]
    assert b"azureml-model-deployment: r-1" in seen[1]


def test_what_is_late_is_408_and_what_breaks_or_is_not_there_is_0() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _request(reader)
        await reader.read()  # until the client gives up
        writer.close()

    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _request(reader)
        writer.write(PLAIN[:-2])
        writer.close()

    async def late(client: AzureInference, url: str) -> None:
        assert (await client.ask(url, "k", b"x")).status == 408

    async def broken(client: AzureInference, url: str) -> None:
        assert (await client.ask(url, "k", b"x")).status == 0
        assert (await client.ask("http://127.0.0.1:1/score", "k", b"x")).status == 0

    _with_server(silent, late)
    _with_server(half, broken)
