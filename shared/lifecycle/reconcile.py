"""What should be true now, asked of everything that is not at rest: events only make it faster.

Where a message is overdue the step is taken here, and the ones after it, so that nothing depends on the queue.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any, TypeVar

from shared import clock
from shared.azure.seen import Listed
from shared.errors import DroptuneError, ServiceError, UnreadableError
from shared.lifecycle import advance, closing, notify, orphans, problems, step, sweep, telling
from shared.runs import slots, store, work
from shared.runs.records import moment, rests

log = logging.getLogger("droptune")
T = TypeVar("T")
OVERDUE_SECONDS = 30.0
# A function lives five minutes: what began before this is over, and a marker may go.
GRACE = timedelta(minutes=10)
TICK_SECONDS = 50.0  # after that the last step may take 240 s, and a function has five minutes
ASKING_SECONDS = 200.0  # so long messages are sent for what was not reached
MOST_STEPS = 12
LONGEST_WAIT = 3600.0


def reconcile() -> int:
    """Looks at what is active and overdue; returns at how many. One listing, however many records ever were."""
    began = clock.monotonic()
    count, present, untold = 0, store.ACTIVE.now(), list[tuple[str, str]]()
    for kind, identity, marker in _turned(store.active(), present):
        if clock.monotonic() > began + ASKING_SECONDS:
            log.warning("a tick was too short for all that is active: the next one begins elsewhere")
            break
        try:
            count += _reconcile_one(kind, identity, marker, present, began + TICK_SECONDS, untold)
        except UnreadableError as error:
            problems.note(kind, identity, error.reason, error.fix)
        except DroptuneError as error:
            log.warning("cannot reconcile %s %s: %s", kind, identity, error.reason)
        except Exception:
            log.exception("cannot reconcile %s %s", kind, identity)
    count += _now_and_then()
    _tell(untold, began + TICK_SECONDS)
    return count


def _turned(active: list[T], present: datetime) -> list[T]:
    """The same, beginning elsewhere at each tick: what one did not reach is not left out by the next."""
    begin = int(present.timestamp() // 60 * 0.6180339887 * len(active)) % len(active) if active else 0
    return active[begin:] + active[:begin]


def _now_and_then() -> int:
    """Hourly: uploads without a record, what belongs to nobody, slots that nobody gave back."""
    try:
        if not sweep.is_due():
            return 0
        found = sweep.sweep()
        orphans.look()
        for granted in slots.prune(_trains):
            work.look_at("run", granted)
        return found
    except DroptuneError as error:
        log.warning("cannot sweep: %s", error.reason)
        return 0


def _trains(run: str) -> bool:
    try:
        loaded = store.find("run", run)
    except UnreadableError:
        return True  # nobody knows: its slot stays
    return loaded is not None and loaded.record.state in ("validated", "submitted")


def _tell(untold: list[tuple[str, str]], ends: float) -> None:
    """Topic and webhooks come last: one that is slow must hold up nothing but the telling of others."""
    for kind, identity in untold:
        if clock.monotonic() > ends:
            return  # the next tick begins elsewhere
        try:
            loaded = store.load(kind, identity)
            if telling.is_late(loaded.record):
                telling.tell(loaded)
            if _overdue(loaded.record.next_look):
                notify.tell(loaded, loaded.record.next_look)
        except DroptuneError as error:
            log.warning("cannot tell how %s %s rests: %s", kind, identity, error.reason)
        except Exception:
            log.exception("cannot tell how %s %s rests", kind, identity)


def _reconcile_one(
    kind: str, identity: str, marker: Listed, present: datetime, ends: float, untold: list[tuple[str, str]]
) -> int:
    """Looks at one; what rests while the topic or a webhook does not know it yet comes into `untold`."""
    loaded = store.find(kind, identity)
    old = marker.modified + GRACE < present
    if loaded is None or rests(loaded.record):
        if clock.monotonic() > ends:
            return 0  # the next tick looks again
        over = not store.is_listed(kind, identity) if loaded is None else closing.close(loaded.record)
        if loaded is not None and (telling.owes(loaded.record) or notify.waits(loaded.record)):
            over = False
            if telling.is_late(loaded.record) or _overdue(loaded.record.next_look):
                untold.append((kind, identity))
        if over and old:
            store.unmark(marker)
        return 0
    if step.waits_for_timer(loaded.record) or not _overdue(loaded.record.next_look):
        return 0
    if clock.monotonic() > ends:
        work.look_at(kind, identity)
    else:
        drive(kind, identity)
    return 1


def _overdue(due: str) -> bool:
    return not due or moment(due) + timedelta(seconds=OVERDUE_SECONDS) <= clock.now()


def drive(kind: str, identity: str) -> None:
    """Takes the steps of a record until it waits for something; then a message goes on, where messages arrive."""
    for _ in range(MOST_STEPS):
        loaded = store.load(kind, identity)
        try:
            step.take(loaded, loaded.record.next_look, alone=True)
        except ServiceError as error:
            advance.failed(work.Look(kind, identity), error)
            return
        except UnreadableError:
            raise
        except DroptuneError as error:
            advance.give_up(kind, identity, error.reason, error.fix)
            return
        if rests(loaded.record) or step.waits_for_timer(loaded.record):
            return
        if (wait := _wait(loaded.record.next_look)) > 1.0:
            work.follow(loaded.record, min(wait, LONGEST_WAIT))
            return


def _wait(due: str) -> float:
    return (moment(due) - clock.now()).total_seconds() if due else 0.0


def look_at_awake() -> int:
    """Looks at every endpoint that is awake, or on its way: idle ones fall asleep."""
    ends = clock.monotonic() + TICK_SECONDS
    names = [identity for kind, identity, _ in store.active() if kind == "endpoint"]
    for name in names:
        try:
            _look_at(name, clock.monotonic() > ends)
        except DroptuneError as error:
            log.warning("cannot look at the endpoint %s: %s", name, error.reason)
        except Exception:
            log.exception("cannot look at the endpoint %s", name)
    return len(names)


def _look_at(name: str, late: bool) -> None:
    loaded = store.find("endpoint", name)
    if loaded is None or rests(loaded.record) or not step.waits_for_timer(loaded.record):
        return
    if late:
        work.look_at("endpoint", name)
    else:
        _once(name, loaded)


def _once(name: str, loaded: store.Loaded[Any]) -> None:
    try:
        step.take(loaded)
    except ServiceError as error:
        advance.failed(work.Look("endpoint", name), error, alone=True)
