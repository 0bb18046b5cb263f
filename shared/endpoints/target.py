"""Where a dataset's model answers: read from the endpoint's record, kept for a few seconds."""

from __future__ import annotations

from dataclasses import dataclass

from shared import clock
from shared.azure.outside import outside, remembered
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


def _targets() -> dict[str, Target]:
    known: dict[str, Target] = outside().memory.setdefault("targets", {})
    return known


def target(name: str, *, fresh: bool = False) -> Target | None:
    """The endpoint of a name, or None where there has never been one."""
    known = _targets().get(name)
    if known and not fresh and known.record.state == "awake" and clock.monotonic() - known.read_at < FRESH_SECONDS:
        return known
    loaded = store.find("endpoint", name)
    if loaded is None and store.is_listed("endpoint", name):
        loaded = store.load(
            "endpoint", name
        )  # a client that reads 404 goes away for good: a single one is not believed
    if loaded is None:
        return None
    record: Endpoint = loaded.record
    key = _key(record.endpoint_name) if record.state == "awake" else ""
    found = Target(record, key, clock.monotonic())
    _targets()[name] = found
    return found


def _key(endpoint: str) -> str:
    return str(remembered(f"key {endpoint}", KEY_SECONDS, lambda: outside().online.key(endpoint)))


def forget_key(name: str) -> None:
    """Drops what is known of a name: its endpoint refused the key, or its deployment is gone."""
    known = _targets().pop(name, None)
    if known:
        outside().memory.pop(f"key {known.record.endpoint_name}", None)


def ask_to_wake(name: str) -> None:
    """Notes in the endpoint's record that somebody wants it, once, whoever asks at the same time."""
    loaded = store.load("endpoint", name)
    record: Endpoint = loaded.record
    if record.wake_wanted or record.state in ("awake", "waking", "absent"):
        return
    record.wake_wanted = True
    record.wait()
    try:
        store.save(loaded)
    except ConflictError:
        return  # somebody else changed the record in this moment: the caller comes back and asks again
    work.follow(record)


def wake_seconds(record: Endpoint) -> int:
    """How long a caller should wait for a sleeping endpoint, from what waking took before."""
    return max(1, round(record.wake_seconds or WAKE_GUESS_SECONDS))
