"""A message that failed five times: its record is looked at once more, and ends visibly where that fails too."""

from __future__ import annotations

import msgspec

from shared.errors import ServiceError
from shared.lifecycle import advance, problems
from shared.runs import work


def poisoned(body: bytes) -> str:
    """Says in a few words what became of it.

    A service that cannot be reached is no reason to give up: `reconcile` will find what is overdue.
    """
    try:
        look = work.parse(body)
    except msgspec.DecodeError as error:
        problems.note("message", body[:200].decode("utf-8", "replace"), f"a message that is none of ours: {error}")
        return "none of ours"
    try:
        return advance.advance(body, advance.LAST_DELIVERY)
    except ServiceError as error:
        return f"left to reconcile: {type(error).__name__} about {look.kind} {look.id}"
