"""The messages: "look at this record", and nothing more; what to do is read from the record."""

from __future__ import annotations

import msgspec

from shared.azure import queue
from shared.runs.records import Record, kind_of


class Look(msgspec.Struct, frozen=True, omit_defaults=True):
    """Look at a record, or (`folder`) at a dataset's folder.

    `due` is the record's `next_look` that the message was sent for: by it a record knows the message it waits for,
    whosever clock is wrong. `tries` counts the looks at a folder that met a passing fault.
    """

    kind: str
    id: str
    tries: int = 0
    due: str = ""


def look_at(kind: str, identity: str, delay: float = 0.0, *, tries: int = 0, due: str = "") -> None:
    """Asks for a look in `delay` seconds."""
    queue.send(msgspec.json.encode(Look(kind, identity, tries, due)).decode(), delay)


def follow(record: Record, delay: float = 0.0) -> None:
    """Asks for the look that a record waits for since it was saved, in `delay` seconds."""
    look_at(kind_of(record), record.id, delay, due=record.next_look)


def parse(body: bytes) -> Look:
    """The message in a queue item.

    Raises:
        msgspec.DecodeError: it is none of ours.
    """
    return msgspec.json.decode(body, type=Look)
