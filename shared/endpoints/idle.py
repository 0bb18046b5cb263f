"""The idle policy: plain rules over what was seen.

Idle is: the metric could be read, its window ended at least the metrics' lag ago, nobody but us asked in it, and our
own last-use mark is older than the window. What cannot be read is unknown, and unknown is not idle (source:
AZUREML_CONTRACT section 4).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta


def last_used(
    points: Mapping[str, float], sent: Mapping[str, int], last_use: datetime | None, awake_since: datetime
) -> datetime:
    """The last moment at which somebody used the endpoint, or it became awake.

    `points` are requests by minute as the service counted them, `sent` what our own instances sent.
    """
    latest = max(awake_since, last_use or awake_since)
    for minute, count in points.items():
        if count > sent.get(minute, 0):
            start = datetime.fromisoformat(minute).replace(tzinfo=UTC)
            latest = max(latest, start + timedelta(minutes=1))
    return latest


def is_idle(used: datetime, now: datetime, window: float, lag: float) -> bool:
    """Whether nothing happened in the `window` seconds that ended `lag` seconds ago; a window of 0 never ends."""
    return window > 0 and now - used >= timedelta(seconds=window + lag)
