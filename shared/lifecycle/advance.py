"""One message, one step: what it asks for is done, and what went wrong is mapped to what comes next."""

from __future__ import annotations

import logging
from typing import Any

import msgspec

from shared.errors import (
    ConflictError,
    DeniedError,
    DroptuneError,
    LostRaceError,
    NotFoundError,
    NotReadyError,
    ServiceError,
    TransientError,
    UnreadableError,
)
from shared.lifecycle import begin, closing, notify, problems, step, telling
from shared.lifecycle.intake import look_at_folder
from shared.runs import store, work
from shared.runs.records import Endpoint, Run, Upload, kind_of, rests

log = logging.getLogger("droptune")
LONGEST_PAUSE = 300.0
RESTING_PAUSE = 60.0
LAST_DELIVERY = 5
# With pauses of five minutes, what passes by itself may last a day; what a person must mend is told after ten minutes.
MOST_PASSING, MOST_LASTING = 300, 12


def advance(body: bytes, delivery: int = 1) -> str:
    """Does what a message asks for and says in a few words what became of it; never waits.

    `delivery` counts how often the message was delivered: on the last one, a fault of ours ends the record visibly.
    """
    try:
        look = work.parse(body)
    except msgspec.DecodeError as error:
        problems.note("message", body[:200].decode("utf-8", "replace"), f"a message that is none of ours: {error}")
        return "none of ours"
    try:
        return _look(look)
    except UnreadableError as error:
        problems.note(look.kind, look.id, error.reason, error.fix)
        return "cannot be read"
    except ServiceError as error:
        return failed(look, error)
    except DroptuneError as error:
        return give_up(look.kind, look.id, error.reason, error.fix)  # permanent: the same step would fail again
    except Exception as error:
        if delivery < LAST_DELIVERY:
            raise
        log.exception("giving up on %s %s", look.kind, look.id)
        return give_up(look.kind, look.id, f"droptune met a fault of its own: {type(error).__name__}")


def _look(look: work.Look) -> str:
    if look.kind == "folder":
        look_at_folder(look.id)
        return "looked"
    loaded = store.find(look.kind, look.id)
    if loaded is None:
        return "gone"
    rested, told = loaded.rested, step.take(loaded, look.due)
    return told + notify.tell(loaded, look.due) if rested else told


def failed(look: work.Look, error: ServiceError, *, alone: bool = False) -> str:
    """A look that met a fault: again later where it may pass, else the record ends.

    `alone`: no message is sent, since the caller comes by again.
    """
    if look.kind == "folder":
        return _folder_again(look, error)
    if isinstance(error, LostRaceError) and error.subject == (look.kind, look.id):
        return _lost(look)
    loaded = store.find(look.kind, look.id)
    if loaded is None:
        return "gone"
    most = MOST_PASSING if isinstance(error, (TransientError, ConflictError)) else MOST_LASTING
    lasting = not isinstance(error, (TransientError, ConflictError, DeniedError, NotFoundError, NotReadyError))
    if (lasting or loaded.record.tries >= most) and not rests(loaded.record):
        return give_up(look.kind, look.id, error.reason, error.fix)
    return _later(loaded, error, alone)


def _lost(look: work.Look) -> str:
    """Somebody else moved the record, and its messages go on; where it rests, what our step made must end."""
    loaded = store.find(look.kind, look.id)
    if loaded is not None and rests(loaded.record):
        closing.close(loaded.record)
    return "somebody else was faster"


def _later(loaded: store.Loaded[Any], error: ServiceError, alone: bool) -> str:
    record = loaded.record
    wait = RESTING_PAUSE if rests(record) else pause(record.tries, error)
    record.wait(wait)
    record.tries += 1
    if not rests(record):
        record.reason = record.reason if isinstance(error, ConflictError) else f"waiting: {error.reason}"
        store.save(loaded)
    if not alone:
        work.follow(record, wait)
    log.warning("%s %s: %s; again in %.0f s", kind_of(record), record.id, error.reason, wait)
    return f"a passing fault: again in {wait:.0f} s"


def pause(tries: int, error: ServiceError) -> float:
    """Seconds until the next try: doubled each time up to five minutes, and never less than the service asked for."""
    asked = error.retry_after or 0.0 if isinstance(error, TransientError) else 0.0
    return min(3600.0, max(asked, min(LONGEST_PAUSE, 2.0 ** min(tries, 9))))


def _folder_again(look: work.Look, error: ServiceError) -> str:
    if look.tries >= MOST_LASTING:
        problems.note("folder", look.id, error.reason, error.fix)
        return "left to the sweep"
    wait = pause(look.tries, error)
    work.look_at("folder", look.id, wait, tries=look.tries + 1)
    return f"a passing fault: again in {wait:.0f} s"


def give_up(kind: str, identity: str, reason: str, fix: str = "retry the run") -> str:
    """Ends a record that cannot go on, where people see it; an endpoint only says so, since it must go on."""
    loaded = store.find(kind, identity) if kind != "folder" else None
    if loaded is None:
        problems.note(kind, identity, reason, fix)
        return "nothing to give up"
    record = loaded.record
    if rests(record):
        return "nothing to give up"
    if isinstance(record, Endpoint):
        problems.note(kind, identity, reason, fix)
        record.reason, record.fix, record.tries = reason, fix, 0
        record.wait(LONGEST_PAUSE)
        store.save(loaded)
        work.follow(record, LONGEST_PAUSE)
        return f"goes on later: {reason}"
    begun = _begun(record) if isinstance(record, Upload) else ""
    if isinstance(record, Upload) and begun:
        record.run = begun
        record.enter("accepted", begun)  # its run goes on, and a report of its own will say how it ends
    else:
        record.reason, record.fix = reason, fix
        record.enter("rejected" if kind == "upload" else "failed", reason)
    record.wait()
    store.save(loaded)
    telling.tell(loaded)
    work.follow(record)
    return f"{record.state}: {reason}"


def _begun(upload: Upload) -> str:
    """The run of an upload that was cut off between beginning it and saying so; empty where there is none."""
    runs: list[Run] = store.all_of("run", f"{upload.name}-")
    return next((run.id for run in runs if begin.is_of(run, upload)), "")
