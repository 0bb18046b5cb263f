"""One message, one step: load the record, take its state's step, save it, ask for the next look."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from shared import reports
from shared.azure import topics
from shared.errors import ConflictError, DeniedError, DroptuneError, NotFoundError, ServiceError, TransientError
from shared.events import event_type
from shared.lifecycle import views
from shared.lifecycle.intake import look_at_folder
from shared.lifecycle.outcome import Again, Enter, Leave, Outcome
from shared.lifecycle.table import STEPS
from shared.runs import store, work
from shared.runs.records import Record, Run, Upload, kind_of, moment, rests, stamp

log = logging.getLogger("droptune")
LONGEST_PAUSE = 60.0
MOST_TRIES = 12
LAST_DELIVERY = 5


def advance(body: bytes, delivery: int = 1) -> str:
    """Does what a message asks for and says in a few words what became of it; never waits.

    `delivery` counts how often the message was delivered: on the last one, a fault ends the run visibly.
    """
    look = work.parse(body)
    try:
        return _look(look)
    except ConflictError:
        work.look_at(look.kind, look.id, 1.0, look.tries)
        return "somebody else changed it: look again"
    except (TransientError, DeniedError) as error:
        return _later(look, error)
    except NotFoundError:
        return "gone"
    except DroptuneError as error:
        return give_up(look.kind, look.id, error.reason, error.fix)  # permanent: the same call would fail again
    except Exception as error:
        if delivery < LAST_DELIVERY or look.kind == "folder":
            raise
        log.exception("giving up on %s %s", look.kind, look.id)
        return give_up(look.kind, look.id, f"droptune met a fault of its own: {type(error).__name__}")


def _later(look: work.Look, error: ServiceError) -> str:
    if look.tries >= MOST_TRIES and look.kind != "folder":
        return give_up(look.kind, look.id, error.reason, error.fix)
    asked = error.retry_after if isinstance(error, TransientError) else None
    pause = asked or min(LONGEST_PAUSE, 2.0**look.tries)
    work.look_at(look.kind, look.id, pause, look.tries + 1)
    log.warning("%s %s: %s; again in %.0f s", look.kind, look.id, error.reason, pause)
    return f"a passing fault: again in {pause:.0f} s"


def give_up(kind: str, identity: str, reason: str, fix: str = "retry the run") -> str:
    """Ends a record that cannot go on, where people see it."""
    loaded = store.find(kind, identity)
    if loaded is None or rests(loaded.record) or kind == "endpoint":
        return "nothing to give up"
    loaded.record.reason, loaded.record.fix = reason, fix
    loaded.record.enter("rejected" if kind == "upload" else "failed", reason)
    store.save(loaded)
    _tell(loaded.record)
    return f"{loaded.record.state}: {reason}"


def _look(look: work.Look) -> str:
    if look.kind == "folder":
        look_at_folder(look.id)
        return "looked"
    loaded = store.load(look.kind, look.id)
    record: Record = loaded.record
    step = STEPS[look.kind].get(record.state)
    if step is None:
        return f"at rest: {record.state}"
    return _apply(loaded, step(record))


def _apply(loaded: store.Loaded[Any], outcome: Outcome) -> str:
    if isinstance(outcome, Leave):
        return "nothing to do"
    if isinstance(outcome, Again):
        return _again(loaded, outcome)
    return _enter(loaded, outcome)


def _again(loaded: store.Loaded[Any], outcome: Again) -> str:
    """Asks for the next look, unless another message will bring it: events must not multiply the messages."""
    record: Record = loaded.record
    present = datetime.now(UTC)
    if record.next_look and moment(record.next_look) > present + timedelta(seconds=0.2):
        if outcome.changed:
            store.save(loaded)
        return "a later look is under way"
    record.next_look = stamp(present + timedelta(seconds=outcome.delay))
    store.save(loaded)
    work.look_at(kind_of(record), record.id, outcome.delay)
    return f"look again in {outcome.delay:.1f} s"


def _enter(loaded: store.Loaded[Any], outcome: Enter) -> str:
    record: Record = loaded.record
    record.enter(outcome.state, outcome.detail)
    record.reason, record.fix = outcome.reason, outcome.fix
    goes_on = outcome.state in STEPS[kind_of(record)] and not rests(record)
    due = datetime.now(UTC) + timedelta(seconds=outcome.delay)
    record.next_look = stamp(due) if goes_on else ""
    store.save(loaded)
    if goes_on and not _waits_for_timer(record):
        work.look_at(kind_of(record), record.id, outcome.delay)
    _tell(record)
    return record.state


def _waits_for_timer(record: Record) -> bool:
    return kind_of(record) == "endpoint" and record.state == "awake"


def _tell(record: Record) -> None:
    """Publishes the run's event and, where it rests, its report; a failure here must not undo the step."""
    try:
        if isinstance(record, Run):
            topics.publish(event_type(record.state), f"runs/{record.id}", views.event(record))
            if rests(record):
                _report(record)
        elif isinstance(record, Upload) and record.state == "rejected":
            _tell_rejected(record)
    except DroptuneError as error:
        log.warning("%s %s: %s", kind_of(record), record.id, error.reason)


def _tell_rejected(upload: Upload) -> None:
    reports.update(
        upload.path, etag=upload.etag, name=upload.name, state="rejected", reason=upload.reason, fix=upload.fix
    )
    told = {"path": upload.path, "reason": upload.reason, "fix": upload.fix}
    topics.publish("Droptune.UploadRejected", f"uploads/{upload.id}", told)


def _report(run: Run) -> None:
    reports.update(
        str(run.dataset["path"]),
        name=run.name,
        run=run.id,
        state=run.state,
        reason=run.reason,
        fix=run.fix,
        metrics=run.metrics,
        model=run.model,
        endpoint=run.endpoint if run.state == "live" else None,
        cost=run.cost,
        timeline=msgspec.to_builtins(run.timeline),
    )
