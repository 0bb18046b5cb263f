"""Do events arrive? A file in a container of its own, and another that the function writes when it is told of it."""

from __future__ import annotations

import time
import uuid

from shared import clock
from shared.azure.blobs import Container

CANARIES = Container("canary")
SEEN = ".seen"


def drop() -> str:
    """Writes a canary; its path."""
    path = f"{uuid.uuid4().hex}.canary"
    CANARIES.write(path, b"")
    return path


def seen(path: str) -> None:
    """Writes down that the event of a canary arrived."""
    if CANARIES.properties(path) is not None:
        CANARIES.write(path + SEEN, b"")


def await_event(path: str, seconds: float) -> float | None:
    """How many seconds the event of a canary took, or None where it did not come in time; what was written is gone."""
    began = clock.monotonic()
    try:
        while clock.monotonic() - began < seconds:
            if CANARIES.properties(path + SEEN) is not None:
                return clock.monotonic() - began
            time.sleep(0.25)
        return None
    finally:
        CANARIES.delete(path)
        CANARIES.delete(path + SEEN)
