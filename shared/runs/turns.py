"""Who may train now and who waits: at most so many at a time, the least served folder first. A rule, without a clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import msgspec


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """A run's attempt that trains or waits; `since` is when it came to that, in ISO 8601, for people."""

    run: str
    folder: str
    since: str
    attempt: int = 1


class Turns(msgspec.Struct, frozen=True):
    """Who has a slot, and who waits for one in the order of asking: that order counts, not anybody's clock."""

    running: tuple[Entry, ...] = ()
    waiting: tuple[Entry, ...] = ()

    def holds(self, run: str) -> bool:
        """Whether a run has a slot."""
        return any(entry.run == run for entry in self.running)


def ask(turns: Turns, asked: Entry, most: int) -> Turns:
    """The turns once a run has asked for a slot: it has one, or waits; asking again changes nothing but its attempt."""
    if any(entry.run == asked.run for entry in (*turns.running, *turns.waiting)):
        renewed = Turns(_renewed(turns.running, asked), _renewed(turns.waiting, asked))
    else:
        renewed = Turns(turns.running, (*turns.waiting, asked))
    return granted(renewed, most, asked.since)


def _renewed(entries: tuple[Entry, ...], asked: Entry) -> tuple[Entry, ...]:
    return tuple(
        msgspec.structs.replace(entry, attempt=asked.attempt)
        if entry.run == asked.run and entry.attempt < asked.attempt
        else entry
        for entry in entries
    )


def without(turns: Turns, gone: Callable[[Entry], bool], most: int, at: str) -> Turns:
    """The turns once entries are gone, whether they had a slot or waited; others get what came free."""
    running = tuple(entry for entry in turns.running if not gone(entry))
    waiting = tuple(entry for entry in turns.waiting if not gone(entry))
    return granted(Turns(running, waiting), most, at)


def granted(turns: Turns, most: int, at: str) -> Turns:
    """The turns once free slots are given: to a folder with the fewest, and of those to the run that waits longest."""
    running, waiting = list(turns.running), list(turns.waiting)
    served = Counter(entry.folder for entry in running)
    while waiting and len(running) < most:
        first = min(range(len(waiting)), key=lambda index: (served[waiting[index].folder], index))
        entry = waiting.pop(first)
        served[entry.folder] += 1
        running.append(msgspec.structs.replace(entry, since=at))
    return Turns(tuple(running), tuple(waiting)) if len(running) != len(turns.running) else turns
