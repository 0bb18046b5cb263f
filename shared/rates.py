"""A key's most questions in a minute, over all instances of the function app together.

A blob a key has how many of this minute's questions were given out. An instance takes them in parts of a tenth and counts
its own part down in memory, so that most questions cost no call and no minute ever has more than its limit. What an
instance took and does not use is lost: with several instances some of the limit may be refused, never exceeded. A minute
is one of the clock; in an instance whose clock is behind, the blob's counts.
"""

from __future__ import annotations

import threading
from typing import Protocol

import msgspec

from shared import clock
from shared.errors import ConflictError, NotFoundError

PARTS = 10
TRIES = 6
MINUTE = 60


class Store(Protocol):
    """Where the counts lie: the container `access`."""

    def read(self, path: str) -> tuple[bytes, str]: ...

    def write(self, path: str, data: bytes, *, if_match: str | None = None, create: bool = False) -> str: ...


class Taken(msgspec.Struct):
    """How many questions of a minute (counted since 1970) are given out; in memory, how many this instance has left."""

    minute: int = 0
    count: int = 0


_HELD: dict[str, Taken] = {}
_LOCK = threading.Lock()
_NONE_LEFT = -1


def is_free(identity: str, per_minute: int) -> bool:
    """Whether `take` answers without a call."""
    held = _HELD.get(identity)
    return not per_minute or (held is not None and held.count != 0 and held.minute >= _minute())


def take(store: Store, identity: str, per_minute: int) -> float:
    """Takes one question; 0 where there was one, else the seconds until the next minute.

    Raises:
        ServiceError: the storage cannot be reached.
    """
    if not per_minute:
        return 0.0
    if not is_free(identity, per_minute):
        _HELD[identity] = _part(store, identity, per_minute)
    held = _HELD[identity]
    with _LOCK:
        if held.count > 0:
            held.count -= 1
            return 0.0
    return max(1.0, (held.minute + 1) * MINUTE - clock.now().timestamp())


def _part(store: Store, identity: str, per_minute: int) -> Taken:
    """The next part of the minute's questions."""
    path, part = f"rates/{identity}.json", max(1, per_minute // PARTS)
    for _ in range(TRIES):
        etag: str | None = None
        try:
            data, etag = store.read(path)
            taken = msgspec.json.decode(data, type=Taken)
        except NotFoundError:
            taken = Taken()
        if taken.minute < _minute():
            taken = Taken(_minute())
        part = min(part, per_minute - taken.count)
        if part <= 0:
            return Taken(taken.minute, _NONE_LEFT)
        try:
            store.write(
                path, msgspec.json.encode(Taken(taken.minute, taken.count + part)), if_match=etag, create=not etag
            )
        except ConflictError:
            continue  # another instance took a part in this moment
        return Taken(taken.minute, part)
    return Taken(_minute())


def _minute() -> int:
    return int(clock.now().timestamp()) // MINUTE
