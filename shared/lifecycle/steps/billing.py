"""The times in which a deployment is billed, in the endpoint's record."""

from __future__ import annotations

from shared.runs.records import Endpoint, Interval, now


def open_interval(record: Endpoint, deployment: str, instance_type: str, run: str) -> bool:
    """Notes that a deployment begins to cost; False where that is noted already."""
    if any(entry.deployment == deployment and not entry.until for entry in record.billed):
        return False
    record.billed = [*record.billed, Interval(deployment, instance_type, now(), run=run)]
    return True


def close_interval(record: Endpoint, deployment: str) -> bool:
    """Notes that a deployment costs nothing any more; False where that is noted already."""
    ended = [entry for entry in record.billed if entry.deployment == deployment and not entry.until]
    for entry in ended:
        entry.until = now()
    return bool(ended)
