"""The time that schedules live by: this machine's, and what tests have let pass on top of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from azureml_box.store import Store

_KIND, _KEY = "emulator", "clock"


class Clock:
    """Now, for schedules; what was added is kept, so that time never goes back at a restart."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._ahead = timedelta(seconds=float((store.get(_KIND, _KEY) or {}).get("seconds") or 0))

    def now(self) -> datetime:
        """Return the moment in UTC."""
        return datetime.now(UTC) + self._ahead

    def advance(self, step: timedelta) -> None:
        """Let time pass."""
        self._ahead += step
        self._store.put(_KIND, _KEY, {"seconds": self._ahead.total_seconds()})

    @property
    def ahead(self) -> timedelta:
        """How far it is ahead of this machine's."""
        return self._ahead
