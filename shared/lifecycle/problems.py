"""What belongs to no run and must be seen by somebody: broken records, messages that are none of ours, orphans.

A note is a small blob, named by its subject, so that the same problem is noted once; it is published as an event too.
"""

from __future__ import annotations

import hashlib
import logging
from contextlib import suppress

import msgspec

from shared.azure import topics
from shared.azure.blobs import Container
from shared.azure.outside import outside
from shared.errors import NotFoundError, ServiceError
from shared.runs.records import now

log = logging.getLogger("droptune")
PREFIX = "_problems/"


class Problem(msgspec.Struct, frozen=True):
    """What is wrong, since when, and how it is mended; `subject` is of a `kind`."""

    kind: str
    subject: str
    reason: str
    fix: str
    at: str


def note(kind: str, subject: str, reason: str, fix: str = "") -> None:
    """Notes a problem, and publishes it the first time; a failure here stops nobody."""
    log.error("%s %s: %s", kind, subject if kind != "message" else "", reason)
    data = msgspec.json.encode(Problem(kind, subject, reason, fix, now()))
    with suppress(ServiceError):
        Container("active").write(_path(kind, subject), data, create=True)
        told = {"kind": kind, "subject": subject, "reason": reason, "fix": fix}
        topics.publish("Droptune.Problem", f"problems/{kind}", told)


def forget(kind: str, subject: str) -> None:
    """Takes a note away: it is mended."""
    Container("active").delete(_path(kind, subject))


def listed() -> list[Problem]:
    """All notes, in the order of their paths."""
    container = Container("active")
    paths = [blob.path for blob in container.list(PREFIX)]
    return [found for found in outside().gather(_read, paths) if found is not None]


def _read(path: str) -> Problem | None:
    try:
        return msgspec.json.decode(Container("active").read(path)[0], type=Problem)
    except (NotFoundError, msgspec.DecodeError):
        return None


def _path(kind: str, subject: str) -> str:
    return f"{PREFIX}{kind}-{hashlib.sha256(subject.encode()).hexdigest()[:16]}.json"
