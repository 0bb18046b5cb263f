"""Fires schedules: one task that sleeps until the next is due, and submits its job under a name that the moment gives.

A firing that came due while no emulator ran is made up for where it is less than a minute late, the grain of a schedule; what is
older is left out, as Azure leaves out firings that lie before a schedule's start. (What Azure does after a failure of its own
is written nowhere.)
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from azureml_box.errors import ArmError, BadRequest
from azureml_box.jobs import resources
from azureml_box.schedules import actions, documents
from azureml_box.schedules.clock import Clock
from azureml_box.schedules.triggers import parse

if TYPE_CHECKING:
    from azureml_box.context import Box

_LATE = timedelta(minutes=1)
_LONGEST_SLEEP = 3600.0
_MOST_AT_ONCE = 1000
_log = logging.getLogger(__name__)


class Scheduler:
    """The schedules of one emulator and the clock that they follow."""

    def __init__(self, box: Box) -> None:
        self._box, self.clock = box, Clock(box.store)
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Take up what is stored, without the firings that were missed; unfinished operations have failed."""
        oldest = self.clock.now() - _LATE
        for doc in self._box.store.list(documents.KIND):
            doc["_after"] = max(datetime.fromisoformat(doc["_after"]), oldest).isoformat()
            state = doc["properties"]["provisioningState"]
            if state == "Deleting":
                self._box.store.delete(documents.KIND, doc["name"])
                continue
            doc["properties"]["provisioningState"] = "Succeeded" if state == "Succeeded" else "Failed"
            self._box.store.put(documents.KIND, doc["name"], doc)
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Fire no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def changed(self) -> None:
        """Look again at what comes next."""
        self._changed.set()

    def advance(self, to: datetime) -> list[str]:
        """Let time pass and fire all that comes due, in its order; the names of the jobs.

        Raises:
            BadRequest: the moment lies in the past, or too much would come due.
        """
        step = to - self.clock.now()
        if step < timedelta(0):
            raise BadRequest(f"It is {self.clock.now().isoformat()} already; time goes forward only.", target="to")
        if self._count(to) > _MOST_AT_ONCE:
            raise BadRequest(f"More than {_MOST_AT_ONCE} firings lie before {to.isoformat()}.", "BadArgument", "to")
        self.clock.advance(step)
        fired = self.fire_due()
        self.changed()
        return fired

    def fire_due(self) -> list[str]:
        """Fire what is due by now; the names of the jobs."""
        now, fired = self.clock.now(), list[str]()
        while due := min((pair for pair in self._upcoming() if pair[0] <= now), default=None):
            moment, name = due
            doc = documents.get(self._box, name)
            job = self.submit(doc, moment, str(uuid.uuid5(uuid.NAMESPACE_URL, f"{doc['id']}@{moment.isoformat()}")))
            fired += [job] if job else []
            self._box.store.put(documents.KIND, name, {**doc, "_after": moment.isoformat(), "_at_once": False})
        return fired

    def submit(self, doc: dict[str, Any], moment: datetime, name: str) -> str | None:
        """Submit the schedule's job; its name, or None where it is refused, which the emulator's log tells."""
        try:
            made = actions.body(self._box, doc, name, moment)
            resources.begin(self._box, name, {"properties": made})
        except ArmError as error:
            _log.warning("schedule %s did not fire at %s: %s", doc["name"], moment, error.message)
            return None
        except Exception:  # noqa: BLE001 - one schedule's trouble must not keep the others from firing
            _log.exception("schedule %s broke at %s; the others go on", doc["name"], moment)
            return None
        return name

    def _upcoming(self) -> list[tuple[datetime, str]]:
        """When each schedule that is enabled fires next."""
        found = []
        for doc in self._box.store.list(documents.KIND):
            properties = doc["properties"]
            if properties["isEnabled"] and properties["provisioningState"] == "Succeeded":
                after = datetime.fromisoformat(doc["_after"])
                due = after if doc["_at_once"] else parse(properties["trigger"], after).next_after(after)
                found += [(due, doc["name"])] if due is not None else []
        return found

    def _count(self, to: datetime) -> int:
        """How many firings lie before a moment, counted no further than is allowed."""
        count = 0
        for first, name in self._upcoming():
            trigger = parse(documents.get(self._box, name)["properties"]["trigger"], first)
            due: datetime | None = first
            while due is not None and due <= to and count <= _MOST_AT_ONCE:
                count, due = count + 1, trigger.next_after(due)
        return count

    async def _run(self) -> None:
        while True:
            self._changed.clear()
            self.fire_due()
            first = min(self._upcoming(), default=None)
            wait = (first[0] - self.clock.now()).total_seconds() if first else _LONGEST_SLEEP
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), min(max(wait, 0.0), _LONGEST_SLEEP))
