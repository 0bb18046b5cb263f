"""One step of one record: choose it by the state, take it, save what came of it, ask for the next look."""

from __future__ import annotations

from typing import Any

from shared.errors import DroptuneError
from shared.lifecycle import closing, telling
from shared.lifecycle.outcome import Again, Enter, Leave, Outcome
from shared.lifecycle.steps import tidy
from shared.lifecycle.table import STEPS
from shared.runs import store, work
from shared.runs.records import Endpoint, Record, Run, kind_of, rests


def take(loaded: store.Loaded[Any], due: str = "", *, alone: bool = False) -> str:
    """Takes the step of a record's state and says in a few words what became of it.

    `due` names the message that brought the look: one that the record no longer waits for is passed over. `alone`: no message is sent, the caller goes on by itself.
    """
    record: Record = loaded.record
    if due and due != record.next_look and work.is_ahead(record):
        return "another look is under way"
    if rests(record):
        return _close(record)
    return _apply(loaded, _outcome(loaded), due, alone)


def _close(record: Record) -> str:
    """What has not ended yet is looked at again by `reconcile`, until it has."""
    told = "" if closing.close(record) else ", and not all of it has ended"
    return f"at rest: {record.state}{told}"


def _outcome(loaded: store.Loaded[Any]) -> Outcome:
    record = loaded.record
    if isinstance(record, Run) and record.cancel_wanted:
        record.cancel_wanted = False
        return Enter("cancelled", "cancelled by hand", "cancelled by hand", "retry the run")
    changed = isinstance(record, Endpoint) and tidy.tidy(record)
    step = STEPS[kind_of(record)].get(record.state)
    if step is None:
        if isinstance(record, Endpoint):
            return tidy.pause(record, Leave(), changed)
        raise DroptuneError(f"the state {record.state!r} is unknown", "deploy the droptune that knows it")
    outcome = step(record)
    return tidy.pause(record, outcome, changed) if isinstance(record, Endpoint) else outcome


def _apply(loaded: store.Loaded[Any], outcome: Outcome, due: str, alone: bool) -> str:
    if isinstance(outcome, Leave):
        return "nothing to do"
    if isinstance(outcome, Again):
        return _again(loaded, outcome, due, alone)
    return _enter(loaded, outcome, alone)


def _again(loaded: store.Loaded[Any], outcome: Again, due: str, alone: bool) -> str:
    """Asks for the next look, unless another message will bring it: events must not multiply the messages."""
    record: Record = loaded.record
    if due != record.next_look and work.is_ahead(record):
        if outcome.changed:
            store.save(loaded)
        return "a later look is under way"
    record.tries = 0
    record.wait(outcome.delay)
    store.save(loaded)
    if not alone:
        work.follow(record, outcome.delay)
    return f"look again in {outcome.delay:.1f} s"


def _enter(loaded: store.Loaded[Any], outcome: Enter, alone: bool) -> str:
    record: Record = loaded.record
    record.enter(outcome.state, outcome.detail)
    record.reason, record.fix, record.tries = outcome.reason, outcome.fix, 0
    record.wait(outcome.delay)
    store.save(loaded)
    rested = rests(record)
    if rested:
        telling.tell(loaded)  # before others look at it: it writes the record once more
    if not alone and not waits_for_timer(record):
        work.follow(record, outcome.delay)
    if not rested:
        telling.tell(loaded)
    return record.state


def waits_for_timer(record: Record) -> bool:
    """Whether the idle timer looks at it, and nobody else need."""
    return isinstance(record, Endpoint) and record.state == "awake" and not record.leaving and not record.retired
