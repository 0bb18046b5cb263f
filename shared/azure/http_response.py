"""One HTTP/1.1 response, taken as its bytes come (RFC 9112). No I/O."""

from __future__ import annotations

import re

MOST_HEAD = 64 * 1024
MOST_BODY = 64 * 1024 * 1024
_STATUS = re.compile(rb"HTTP/1\.([01]) (\d{3})(?: |$)")
_EMPTY = (204, 304)


class BadResponseError(Exception):
    """What came is no HTTP/1.1 response, or one that is too large."""


class Response:
    """Feed it until it is `done`; then `status`, `headers` (names in lower case), `body` and `keeps` are set.

    `keeps`: the connection may be used for another request. `begun`: something came.
    """

    def __init__(self) -> None:
        self.status, self.headers, self.body = 0, dict[str, str](), b""
        self.done, self.begun, self.keeps = False, False, False
        self._data, self._parts = bytearray(), bytearray()
        self._length: int | None = None
        self._in_body, self._chunked = False, False

    def feed(self, data: bytes) -> None:
        """Takes the next bytes.

        Raises:
            BadResponseError: they cannot belong to a response.
        """
        self.begun = True
        self._data += data
        while not self._in_body:
            if not self._head():
                return
        self._chunks() if self._chunked else self._plain()
        if len(self._data) + len(self._parts) > MOST_BODY:
            raise BadResponseError(f"the body is longer than {MOST_BODY:,} bytes")

    def end(self) -> None:
        """The connection was closed: that ends a body whose length nobody told.

        Raises:
            BadResponseError: something is missing.
        """
        if self.done:
            return
        if not self._in_body or self._chunked or self._length is not None:
            raise BadResponseError("the connection was closed in the middle of a response")
        self._finish(bytes(self._data), False)

    def _head(self) -> bool:
        """Reads the head where it is whole; an interim one (1xx) is passed over."""
        end = self._data.find(b"\r\n\r\n")
        if end < 0:
            if len(self._data) > MOST_HEAD:
                raise BadResponseError(f"the head is longer than {MOST_HEAD:,} bytes")
            return False
        first, *lines = bytes(self._data[:end]).split(b"\r\n")
        del self._data[: end + 4]
        match = _STATUS.match(first)
        if not match:
            raise BadResponseError("the first line is none of HTTP/1.1")
        self.status = int(match[2])
        if self.status >= 200:
            self.headers = dict(_header(line) for line in lines)
            self._body_follows(match[1] == b"1")
        return True

    def _body_follows(self, is_modern: bool) -> None:
        self._in_body = True
        said = self.headers.get("connection", "keep-alive" if is_modern else "close")
        self.keeps = "close" not in said.lower()
        self._chunked = "chunked" in self.headers.get("transfer-encoding", "").lower()
        if self.status in _EMPTY:
            self._length, self._chunked = 0, False
        elif not self._chunked and "content-length" in self.headers:
            self._length = _number(self.headers["content-length"].encode("latin-1"), 10)

    def _plain(self) -> None:
        if self._length is not None and len(self._data) >= self._length:
            body = bytes(self._data[: self._length])
            self._finish(body, len(self._data) == self._length)

    def _chunks(self) -> None:
        """Takes the chunks that are whole; extensions and trailers are passed over."""
        while (line := self._data.find(b"\r\n")) >= 0:
            size = _number(bytes(self._data[:line]).partition(b";")[0].strip(), 16)
            if size == 0:
                self._trailers(line + 2)
                return
            if size > MOST_BODY:
                raise BadResponseError(f"a chunk is longer than {MOST_BODY:,} bytes")
            end = line + 2 + size
            if len(self._data) < end + 2:
                return
            if self._data[end : end + 2] != b"\r\n":
                raise BadResponseError("a chunk is longer than it says")
            self._parts += self._data[line + 2 : end]
            del self._data[: end + 2]
        if len(self._data) > MOST_HEAD:
            raise BadResponseError("a chunk does not say its length")

    def _trailers(self, start: int) -> None:
        """Ends where the empty line after the last chunk has come."""
        if self._data[start : start + 2] == b"\r\n":
            end = start + 2
        else:
            found = self._data.find(b"\r\n\r\n", start)
            if found < 0:
                return
            end = found + 4
        self._finish(bytes(self._parts), len(self._data) == end)

    def _finish(self, body: bytes, is_clean: bool) -> None:
        self.body, self.done = body, True
        self.keeps = self.keeps and is_clean
        self._data.clear()
        self._parts.clear()


def _header(line: bytes) -> tuple[str, str]:
    name, colon, value = line.decode("latin-1").partition(":")
    if not colon or not name or name != name.strip():
        raise BadResponseError("a line of the head is no header")
    return name.lower(), value.strip()


def _number(digits: bytes, base: int) -> int:
    allowed = b"0123456789abcdefABCDEF" if base == 16 else b"0123456789"
    if not digits or len(digits) > 16 or digits.strip(allowed):
        raise BadResponseError("a length is no number")
    return int(digits, base)
