"""The scoring path's HTTP client: any response however it is cut into pieces, and a real server that misbehaves."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.azure.http_pool import HttpPool
from shared.azure.http_response import BadResponseError, Response

PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: b \r\n\r\nhello"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nhel\r\n2\r\nlo\r\n0\r\nTrailer: t\r\n\r\n"
INTERIM = b"HTTP/1.1 100 Continue\r\n\r\n" + PLAIN
EMPTY = b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n"
OLD = b"HTTP/1.0 200 OK\r\n\r\nhello"


def _fed(data: bytes, cuts: list[int]) -> Response:
    response = Response()
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    for start, end in pairwise(edges):
        if end > start:
            response.feed(data[start:end])
    return response


@given(st.sampled_from([PLAIN, CHUNKED, INTERIM]), st.lists(st.integers(0, 200)))
def test_a_response_is_the_same_however_it_was_cut(data: bytes, cuts: list[int]) -> None:
    response = _fed(data, cuts)
    assert (response.done, response.keeps, response.status, response.body) == (True, True, 200, b"hello")


@given(st.lists(st.integers(0, 200)))
def test_a_body_without_a_length_ends_with_its_connection(cuts: list[int]) -> None:
    response = _fed(OLD, cuts)
    assert not response.done
    response.end()
    assert (response.done, response.keeps, response.body) == (True, False, b"hello")


@given(st.sampled_from([PLAIN, CHUNKED, INTERIM]), st.integers(0, 200))
def test_a_response_that_is_not_whole_is_no_response(data: bytes, cut: int) -> None:
    response = Response()
    response.feed(data[: cut % len(data)])
    with pytest.raises(BadResponseError):
        response.end()


@given(st.binary(max_size=200))
def test_any_bytes_are_taken_or_refused(data: bytes) -> None:
    for begin in (b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"):
        try:
            Response().feed(begin + data)
        except BadResponseError:
            pass


def test_headers_are_in_lower_case_and_an_empty_answer_has_no_body() -> None:
    assert _fed(PLAIN, []).headers == {"content-length": "5", "x-a": "b"}
    assert (_fed(EMPTY, []).done, _fed(EMPTY, []).body) == (True, b"")
    assert not _fed(PLAIN + b"more", []).keeps


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno header\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1e3\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabcd\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffff\r\n",
    ],
)
def test_what_is_no_response_is_refused(data: bytes) -> None:
    with pytest.raises(BadResponseError):
        Response().feed(data)


Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def _with_server(handle: Handler, use: Callable[[HttpPool, str], Awaitable[None]]) -> None:
    async def run() -> None:
        server = await asyncio.start_server(handle, "127.0.0.1", 0)
        try:
            await use(HttpPool(), f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/score?a=b")
        finally:
            server.close()

    asyncio.run(run())


async def _request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    return head + await reader.readexactly(length)


def test_a_connection_is_kept_and_one_that_was_closed_meanwhile_is_replaced() -> None:
    seen: list[bytes] = []
    opened = 0

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal opened
        opened += 1
        for _ in range(2):
            seen.append(await _request(reader))
            writer.write(PLAIN)
        if opened == 1:
            await asyncio.sleep(0.05)
        writer.close()

    async def use(pool: HttpPool, url: str) -> None:
        for number in range(4):
            reply = await pool.post(url, {"A": "b"}, b"%d" % number)
            assert (reply.status, reply.body) == (200, b"hello")
            if number == 1:
                await asyncio.sleep(0.1)

    _with_server(handle, use)
    assert opened == 2
    assert [request[-1:] for request in seen] == [b"0", b"1", b"2", b"3"]
    assert seen[0].startswith(b"POST /score?a=b HTTP/1.1\r\nHost: 127.0.0.1:")
    assert b"\r\nA: b\r\n" in seen[0]


def test_what_is_late_is_408_and_what_breaks_is_0() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _request(reader)
        await reader.read()  # until the client gives up
        writer.close()

    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _request(reader)
        writer.write(PLAIN[:-2])
        writer.close()

    async def late(pool: HttpPool, url: str) -> None:
        assert (await pool.post(url, {}, b"x", 0.05)).status == 408

    async def broken(pool: HttpPool, url: str) -> None:
        assert (await pool.post(url, {}, b"x")).status == 0
        assert (await pool.post("http://127.0.0.1:1/score", {}, b"x")).status == 0

    _with_server(silent, late)
    _with_server(half, broken)


def test_a_caller_who_goes_takes_his_connection_with_him() -> None:
    gone: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _request(reader)
        try:
            gone.append(await reader.read())
        except ConnectionResetError:
            gone.append(b"")
        writer.close()

    async def use(pool: HttpPool, url: str) -> None:
        task = asyncio.create_task(pool.post(url, {}, b"x"))
        await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await asyncio.sleep(0.05)

    _with_server(handle, use)
    assert gone == [b""]


def test_a_line_break_in_a_header_is_refused() -> None:
    with pytest.raises(ValueError, match="line break"):
        asyncio.run(HttpPool().post("http://127.0.0.1:1/", {"A": "b\r\nC: d"}, b""))
    with pytest.raises(ValueError, match="no address"):
        asyncio.run(HttpPool().post("file:///etc/passwd", {}, b""))
