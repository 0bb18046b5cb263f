"""May this identity do what droptune does? Every grant of `shared/azure/roles.py` by a call that needs it and harms nobody.

What is asked about does not exist: "there is no such thing" is said only to whoever may look, and deleting or cancelling
it, which only a writer may, changes nothing. Blobs and messages that are written are taken away again at once; a message
is invisible for as long as it is there.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial

from shared import clock
from shared.azure import queue, roles, topics
from shared.azure.outside import outside
from shared.doctor.findings import Check, Finding, warning, wrong
from shared.errors import DeniedError, NotFoundError, ServiceError
from shared.settings import settings
from shared.training import base_model

NOBODY = "droptune-may-i-look"
SCRATCH = "canary"  # the container; only names that end in .canary call a function there


def checks(assignee: str) -> list[Check]:
    """One check a grant; `assignee` names this identity in the commands that give it more."""
    return [(f"role {name}", partial(_asked, name, assignee), "") for name in PROBES]


def _asked(name: str, assignee: str) -> str | Finding:
    try:
        told = PROBES[name]()
    except DeniedError as error:
        return wrong(f"role {name}", error.reason, roles.command(name, assignee or "--assignee IDENTITY"))
    return told or f"may {roles.GRANTS[name].call}"


def _blobs() -> None:
    path = f"doctor-{uuid.uuid4().hex}"
    blobs = outside().blobs
    blobs.write(SCRATCH, path, b"", if_match=None, create=True, content_type="")
    try:
        blobs.list(SCRATCH, path)
        blobs.read(SCRATCH, path, None)
    finally:
        blobs.delete(SCRATCH, path, None)


def _tags() -> str | Finding | None:
    path = f"doctor-{uuid.uuid4().hex}"
    blobs = outside().blobs
    blobs.write(SCRATCH, path, b"", if_match=None, create=True, content_type="")
    try:
        blobs.tag(SCRATCH, path, {"droptune": "doctor"})
    except DeniedError:
        raise
    except ServiceError as error:
        told = f"the account has no index tags, so uploads do not show their state: {error.reason}"
        return warning("role blob tags", told, "use an account without hierarchical namespace (docs/operations.md)")
    finally:
        blobs.delete(SCRATCH, path, None)
    return None


def _topic() -> str | None:
    if not settings().events_endpoint:
        return "no topic is set (DROPTUNE_EVENTS_ENDPOINT): lifecycle events are not published"
    topics.publish("Droptune.Doctor", "doctor", {})
    return None


def _metrics() -> None:
    present = clock.now()
    with suppress(NotFoundError):
        outside().online.requests(NOBODY, present - timedelta(minutes=5), present)


def _tracking() -> None:
    with suppress(NotFoundError):
        outside().jobs.metrics(NOBODY)


def _jobs() -> None:
    with suppress(NotFoundError):
        outside().jobs.cancel(NOBODY)


def _models() -> None:
    outside().models.find(NOBODY, "1")


def _computes() -> None:
    outside().computes.find(NOBODY)


def _endpoints() -> None:
    if outside().online.find(NOBODY) is None:
        outside().online.delete(NOBODY)


def _locations() -> None:
    outside().computes.sizes()
    outside().computes.usages()


def _registry() -> None:
    base_model.find(settings().base_model)
    base_model.find_pipeline()


PROBES: dict[str, Callable[[], str | Finding | None]] = {
    "blobs": _blobs,
    "blob tags": _tags,
    "queue": queue.may_send,
    "topic": _topic,
    "metrics": _metrics,
    "tracking": _tracking,
    "jobs": _jobs,
    "models": _models,
    "endpoints": _endpoints,
    "computes": _computes,
    "locations": _locations,
    "registry": _registry,
}
