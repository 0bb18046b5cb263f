"""A message that failed five times: its record is looked at once more, and ends visibly where that fails too."""

from __future__ import annotations

from shared.errors import ServiceError
from shared.lifecycle import advance


def poisoned(body: bytes) -> str:
    """Says in a few words what became of it.

    A service that cannot be reached is no reason to give up: `reconcile` will find what is overdue.
    """
    try:
        return advance.advance(body, advance.LAST_DELIVERY)
    except ServiceError as error:
        return f"left to reconcile: {error.reason}"
