"""The slots for training jobs, over all function instances: one small blob, each change guarded by its ETag.

    if not slots.take(run.id, run.name, run.attempt):   # it waits: look again later, or when somebody sends a message
    for freed in slots.give_back(run.id, run.attempt):  # they have a slot now: send each a message
    for freed in slots.prune(holds_a_job):              # from time to time: nobody keeps a slot for ever

Whoever is killed between a change here and what follows loses nothing: `take` says the same again, and a run that was
given a slot but not told of it finds out at its next look.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

import msgspec

from shared.azure.blobs import Container
from shared.errors import ConflictError, NotFoundError
from shared.runs import turns
from shared.runs.records import now
from shared.runs.turns import Entry, Turns
from shared.settings import settings

log = logging.getLogger("droptune")
ACTIVE = Container("active")
PATH = "_slots.json"
TRIES = 20


def take(run: str, folder: str, attempt: int = 1) -> bool:
    """Whether a run has a slot; where it has none, it waits for one. Safe to repeat.

    Raises:
        ConflictError: too many others changed the slots at the same time: ask again.
    """
    asked = Entry(run, folder, now(), attempt)
    return _change(lambda seen: turns.ask(seen, asked, settings().max_jobs))[1].holds(run)


def give_back(run: str, attempt: int | None = None) -> list[str]:
    """Gives back a run's slot, or its place among the waiting; returns the runs that have a slot by that.

    `attempt`: only of this attempt and those before, so that whoever is late takes nothing from a retry.

    Raises:
        ConflictError: as `take`.
    """

    def gone(entry: Entry) -> bool:
        return entry.run == run and (attempt is None or entry.attempt <= attempt)

    return _new(*_change(lambda seen: turns.without(seen, gone, settings().max_jobs, now())))


def prune(alive: Callable[[str], bool]) -> list[str]:
    """Takes away what belongs to no run that trains or wants to; returns the runs that have a slot by that.

    `alive` tells of a run id whether it is on its way to a job or has one that runs.

    Raises:
        ConflictError: as `take`.
    """
    return _new(*_change(lambda seen: _pruned(seen, alive)))


def _pruned(seen: Turns, alive: Callable[[str], bool]) -> Turns:
    dead = {entry.run for entry in (*seen.running, *seen.waiting) if not alive(entry.run)}
    return turns.without(seen, lambda entry: entry.run in dead, settings().max_jobs, now())


def look() -> Turns:
    """Who has a slot and who waits, for people."""
    return _read()[0]


def _new(before: Turns, after: Turns) -> list[str]:
    return [entry.run for entry in after.running if not before.holds(entry.run)]


def _change(rule: Callable[[Turns], Turns]) -> tuple[Turns, Turns]:
    """Applies a rule to what is there and writes what comes of it, if anything; both, before and after."""
    for _ in range(TRIES):
        before, etag = _read()
        after = rule(before)
        if after == before:
            return before, after
        try:
            ACTIVE.write(PATH, msgspec.json.encode(after), if_match=etag, create=etag is None)
        except ConflictError:
            continue
        return before, after
    raise ConflictError("the slots for training jobs are changed by many at once", "nothing: it is tried again")


def _read() -> tuple[Turns, str | None]:
    for last in (False, True):
        try:
            data, etag = ACTIVE.read(PATH)
            return msgspec.json.decode(data, type=Turns), etag
        except NotFoundError:
            break
        except msgspec.DecodeError:
            if last:  # broken there, not on the way: begun anew, at worst with twice as many jobs for a while
                log.exception("active/%s cannot be read and is begun anew", PATH)
                return Turns(), etag
    return Turns(), None
