"""Timer functions: fires on schedule, on one instance, and once late where a firing was missed."""

import asyncio
import json
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from local.functions_host.index import Function
from local.functions_host.invoker import Invoker, document
from local.functions_host.schedule import parse_schedule
from local.functions_host.timer_store import LEASE_SECONDS, TimerStatus

if TYPE_CHECKING:
    from local.functions_host.timer_store import TimerStore

log = logging.getLogger(__name__)


def timer_datum_text(is_past_due: bool, status: TimerStatus | None) -> str:
    """Write the JSON that func.TimerRequest is read from."""
    shown = status.document() if status else None
    return json.dumps({"IsPastDue": is_past_due, "Schedule": {"AdjustForDST": True}, "ScheduleStatus": shown})


class TimerListener:
    """Fires one function until it is stopped."""

    def __init__(self, function: Function, store: "TimerStore", invoker: Invoker) -> None:
        trigger = function.trigger
        self._function, self._store, self._invoker = function, store, invoker
        self._schedule = parse_schedule(str(trigger["schedule"]))
        self._is_monitored = bool(trigger.get("useMonitor", True)) and self._schedule.is_monitored
        self._on_startup = bool(trigger.get("runOnStartup", False))
        self._stopped = False
        self._interrupt = asyncio.Event()
        self._status: TimerStatus | None = None

    def stop(self) -> None:
        """Fire no more; a firing that runs goes on."""
        self._stopped = True
        self._interrupt.set()

    async def run(self) -> None:
        """Wait for the lock, fire while it is held, and wait again where it was lost."""
        complained = False
        while not self._stopped:
            try:
                if await self._store.hold():
                    await self._fire_while_held()
                    complained = False
            except Exception as error:  # noqa: BLE001 - the storage may be away for a while: go on asking
                if not complained:
                    log.warning("timer %s: storage can't be used (asking on): %r", self._function.name, error)
                complained = True
            await self._pause()
        await self._store.let_go()

    async def _fire_while_held(self) -> None:
        """Fire until stopped or the lock is lost; a firing that runs when it is lost still runs to its end."""
        keeper = asyncio.create_task(self._keep_lock())
        try:
            await self._fire_on_schedule()
        finally:
            keeper.cancel()

    async def _keep_lock(self) -> None:
        try:
            await asyncio.sleep(LEASE_SECONDS / 3)
            while await self._store.hold():  # noqa: ASYNC110 - it is the storage that is waited on
                await asyncio.sleep(LEASE_SECONDS / 3)
            log.warning("timer %s: another instance has the lock now", self._function.name)
        except Exception as error:  # noqa: BLE001 - without the lock nothing may fire, whatever the reason
            log.warning("timer %s: the lock can't be renewed: %r", self._function.name, error)
        self._interrupt.set()

    async def _fire_on_schedule(self) -> None:
        now = datetime.now(UTC)
        self._status = await self._store.read() if self._is_monitored else None
        if self._on_startup or (self._status and self._status.next < now):
            await self._fire(is_past_due=bool(self._status and self._status.next < now))
            self._on_startup = False
        due = self._schedule.next_after(datetime.now(UTC))
        while not await self._sleep((due - datetime.now(UTC)).total_seconds()):
            await self._fire(is_past_due=False)
            due = self._schedule.next_after(max(due, datetime.now(UTC)))

    async def _fire(self, is_past_due: bool) -> None:
        """Run the function, then keep when it fired: a firing that failed counts, as in Azure."""
        fired = datetime.now(UTC)
        await self._invoker.invoke(self._function, document(timer_datum_text(is_past_due, self._status)))
        self._status = TimerStatus(fired, self._schedule.next_after(datetime.now(UTC)))
        if self._is_monitored:
            await self._store.write(self._status)

    async def _pause(self) -> None:
        """Wait before asking for the lock again."""
        if not self._stopped:
            self._interrupt.clear()
            await self._sleep(2)

    async def _sleep(self, seconds: float) -> bool:
        """Sleep; True when a stop or a lost lock ended it."""
        try:
            await asyncio.wait_for(self._interrupt.wait(), max(0.0, seconds))
        except TimeoutError:
            return False
        return True
