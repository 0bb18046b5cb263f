"""A judge that may be plugged in: whatever grades an answer, a model or a rule. None comes with droptune."""

from __future__ import annotations

import logging
import math
from functools import lru_cache
from importlib import import_module
from typing import Any, Protocol

from shared.errors import SettingsError

log = logging.getLogger("droptune")


class Judge(Protocol):
    """What `DROPTUNE_JUDGE=package.module:name` names: called once for each answer, within a few seconds."""

    def __call__(self, *, messages: list[dict[str, Any]], reference: str, answer: str) -> float:
        """A grade from 0 (useless) to 1 (as good as the reference)."""


@lru_cache(maxsize=4)
def load(place: str) -> Judge | None:
    """The judge at a place as `package.module:name`; none where nothing is named.

    Raises:
        SettingsError: there is nothing of that name.
    """
    if not place:
        return None
    module, _, name = place.partition(":")
    try:
        found: Judge = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        told = f"DROPTUNE_JUDGE={place!r} cannot be loaded: {type(error).__name__}"
        raise SettingsError(told, "name it as package.module:name, installed with the function app") from error
    return found


def grade(judge: Judge | None, messages: list[dict[str, Any]], reference: str, answer: str) -> float | None:
    """A judge's grade; None where there is no judge, or it failed: that must not end a run."""
    if judge is None:
        return None
    try:
        value = float(judge(messages=messages, reference=reference, answer=answer))
    except Exception as error:  # noqa: BLE001  (whatever a stranger's code raises; its words might quote the row)
        log.warning("the judge failed: %s", type(error).__name__)
        return None
    return round(min(1.0, max(0.0, value)), 4) if math.isfinite(value) else None
