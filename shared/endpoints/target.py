"""Where a dataset's model answers: read from the endpoint's record, kept for a few seconds."""

from __future__ import annotations

import time
from dataclasses import dataclass

from shared.endpoints import deployments
from shared.errors import ConflictError
from shared.runs import store, work
from shared.runs.records import Endpoint

FRESH_SECONDS = 3.0
KEY_SECONDS = 300.0
WAKE_GUESS_SECONDS = 900.0


@dataclass
class Target:
    """What scoring needs to know of an endpoint; `key` is asked for only where it is awake."""

    record: Endpoint
    key: str
    read_at: float


_TARGETS: dict[str, Target] = {}
_KEYS: dict[str, tuple[str, float]] = {}


def target(name: str, *, fresh: bool = False) -> Target | None:
    """The endpoint of a name, or None where there has never been one."""
    known = _TARGETS.get(name)
    if known and not fresh and known.record.state == "awake" and time.monotonic() - known.read_at < FRESH_SECONDS:
        return known
    loaded = store.find("endpoint", name)
    if loaded is None:
        return None
    record: Endpoint = loaded.record
    key = _key(record.endpoint_name) if record.state == "awake" else ""
    found = Target(record, key, time.monotonic())
    _TARGETS[name] = found
    return found


def _key(endpoint: str) -> str:
    key, read_at = _KEYS.get(endpoint, ("", 0.0))
    if not key or time.monotonic() - read_at > KEY_SECONDS:
        key = deployments.primary_key(endpoint)
        _KEYS[endpoint] = (key, time.monotonic())
    return key


def forget_key(name: str) -> None:
    """Drops what is known of a name: its endpoint refused the key, or its deployment is gone."""
    known = _TARGETS.pop(name, None)
    if known:
        _KEYS.pop(known.record.endpoint_name, None)


def ask_to_wake(name: str) -> None:
    """Notes in the endpoint's record that somebody wants it, once, whoever asks at the same time."""
    loaded = store.load("endpoint", name)
    record: Endpoint = loaded.record
    if record.wake_wanted or record.state in ("awake", "waking", "absent"):
        return
    record.wake_wanted = True
    try:
        store.save(loaded)
    except ConflictError:
        return  # somebody else changed the record in this moment: the caller comes back and asks again
    work.look_at("endpoint", name)


def wake_seconds(record: Endpoint) -> int:
    """How long a caller should wait for a sleeping endpoint, from what waking took before."""
    return max(1, round(record.wake_seconds or WAKE_GUESS_SECONDS))
