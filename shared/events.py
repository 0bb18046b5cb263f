"""The lifecycle events that droptune publishes."""

from __future__ import annotations

PREFIX = "Droptune.Run"


def event_type(state: str) -> str:
    """The Event Grid type of a state that a run entered.

    >>> event_type("gated_out")
    'Droptune.RunGatedOut'
    """
    return PREFIX + "".join(part.capitalize() for part in state.split("_"))
