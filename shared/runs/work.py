"""The messages: "look at this record", and nothing more; what to do is read from the record."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from shared import clock
from shared.azure import queue
from shared.runs.records import Record, kind_of, moment

SLACK_SECONDS = 2.0


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


def is_ahead(record: Record) -> bool:
    """Whether the message that a record waits for is still to come."""
    return bool(record.next_look) and moment(record.next_look) > clock.now() - timedelta(seconds=SLACK_SECONDS)


def parse(body: bytes) -> Look:
    """The message in a queue item.

    Raises:
        msgspec.DecodeError: it is none of ours.
    """
    return msgspec.json.decode(body, type=Look)
