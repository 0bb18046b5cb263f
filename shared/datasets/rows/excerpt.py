"""The piece of a line that a finding is about, with its place marked."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from shared.datasets.findings import Excerpt

AROUND = 60
MARKED = 80
SEARCHED = 1024 * 1024
_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_list = msgspec.json.Decoder(list[msgspec.Raw]).decode


def around(line: bytes, start: int, end: int) -> Excerpt:
    """The bytes from `start` to `end` of a line as the marked place, with 60 bytes on both sides.

    >>> around(b'{"a": tru}', 6, 9)
    Excerpt(before='{"a": ', marked='tru', after='}')
    """
    end = min(max(end, start), start + MARKED)
    first, last = _whole(line, max(0, start - AROUND)), _whole(line, end + AROUND)
    return Excerpt(
        ("…" if first else "") + _text(line[first:start]),
        _text(line[start:end]),
        _text(line[end:last]) + ("…" if len(line) > last else ""),
    )


def at(line: bytes, path: Sequence[str | int]) -> Excerpt | None:
    """The excerpt of a field of a line, or None where it does not stand there."""
    place = locate(line, path) if len(line) <= SEARCHED else None
    return around(line, *place) if place else None


def locate(line: bytes, path: Sequence[str | int]) -> tuple[int, int] | None:
    """Where the value of a path such as `("messages", 2, "role")` begins and ends in a line of valid JSON.

    >>> locate(b'{"a": [1, 23]}', ("a", 1))
    (10, 12)
    """
    start, end = 0, len(line)
    for step in path:
        place = _item(line[start:end], step) if isinstance(step, int) else _value(line[start:end], step)
        if place is None:
            return None
        start, end = start + place[0], start + place[1]
    return start, end


def _value(text: bytes, key: str) -> tuple[int, int] | None:
    place = 0
    for name, raw in _object(text).items():
        value, quoted = bytes(raw), msgspec.json.encode(name)
        begin = text.find(quoted, place)
        place = text.find(value, text.find(b":", begin + len(quoted))) if begin >= 0 else -1
        if place < 0:
            return None
        if name == key:
            return place, place + len(value)
        place += len(value)
    return None


def _item(text: bytes, index: int) -> tuple[int, int] | None:
    place = text.find(b"[") + 1
    for number, raw in enumerate(_list(text)):
        value = bytes(raw)
        place = text.find(value, place)
        if number == index:
            return place, place + len(value)
        place += len(value)
    return None


def _whole(line: bytes, place: int) -> int:
    """The place, or the next one at which a character begins."""
    for near in range(place, min(place + 4, len(line))):
        if line[near] & 0xC0 != 0x80:
            return near
    return place


def _text(piece: bytes) -> str:
    return piece.decode("utf-8", "replace")
