"""The messages: "look at this record", and nothing more; what to do is read from the record."""

from __future__ import annotations

import msgspec

from shared.azure import queue


class Look(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Look at a record, or (`folder`) at a dataset's folder; `tries` counts the looks that met a passing fault."""

    kind: str
    id: str
    tries: int = 0


def look_at(kind: str, identity: str, delay: float = 0.0, tries: int = 0) -> None:
    """Asks for a look in `delay` seconds."""
    queue.send(msgspec.json.encode(Look(kind, identity, tries)).decode(), delay)


def parse(body: bytes) -> Look:
    """The message in a queue item.

    Raises:
        msgspec.ValidationError: it is none of ours.
    """
    return msgspec.json.decode(body, type=Look)
