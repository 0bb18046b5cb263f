"""HTTP/1.1 as far as the bench needs it, so that what loads and what answers cost as little as they can."""

from __future__ import annotations

END = b"\r\n\r\n"
LENGTH = b"content-length:"


def message_end(data: bytes | bytearray) -> int:
    """Where the first message in the data ends, or 0 where it is not whole yet."""
    head = data.find(END)
    if head < 0:
        return 0
    lower = bytes(data[:head]).lower()
    place = lower.find(LENGTH)
    if place < 0:
        if b"transfer-encoding: chunked" in lower:
            end = data.find(b"0\r\n\r\n", head)
            return end + 5 if end >= 0 else 0
        return head + len(END)
    stop = lower.find(b"\r\n", place)
    length = int(lower[place + len(LENGTH) : stop if stop >= 0 else head])
    whole = head + len(END) + length
    return whole if len(data) >= whole else 0


def answer(body: bytes) -> bytes:
    """A 200 with a JSON body."""
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)
