"""Jobs at once: the rule of turns, whatever happens, and its blob under others' writes (invariants 15, 35, 46)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, cast

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from shared.azure import outside as where
from shared.azure.gateways import Outside
from shared.errors import ConflictError, NotFoundError
from shared.runs import slots, turns
from shared.runs.turns import Entry, Turns
from shared.settings import Settings

AT = "2026-11-25T00:00:00.000Z"
FOLDERS = st.sampled_from(["acme", "beta", "crow"])


class OneBlob:
    """Blobs with ETags, of which one write in `clash` is beaten by somebody else's."""

    def __init__(self) -> None:
        self.data: bytes | None = None
        self.version = 0
        self.reads = self.writes = 0
        self.clashes = 0
        self.between: Callable[[], None] = lambda: None

    def read(self, container: str, path: str, most: int | None) -> tuple[bytes, str]:
        assert (container, path, most) == ("active", "_slots.json", None)
        self.reads += 1
        if self.data is None:
            raise NotFoundError("there is none")
        return self.data, str(self.version)

    def write(
        self, container: str, path: str, data: bytes, *, if_match: str | None, create: bool, content_type: str
    ) -> str:
        assert (container, path) == ("active", "_slots.json")
        assert create != (if_match is not None), "no write without a condition"
        between, self.between = self.between, lambda: None
        between()
        if self.clashes or (create and self.data is not None) or (if_match and if_match != str(self.version)):
            self.clashes = max(0, self.clashes - 1)
            raise ConflictError("somebody else wrote it")
        self.data, self.version = data, self.version + 1
        self.writes += 1
        return str(self.version)


class Here:
    """An outside that has blobs only."""

    def __init__(self, blobs: OneBlob) -> None:
        self.blobs = blobs
        self.memory: dict[str, Any] = {}


@pytest.fixture
def blob(monkeypatch: pytest.MonkeyPatch) -> Iterator[OneBlob]:
    made, before = OneBlob(), where.outside()
    monkeypatch.setattr(slots, "settings", lambda: replace(Settings(), max_jobs=2))
    where.use(cast(Outside, Here(made)))
    yield made
    where.use(before)


class Burst(RuleBasedStateMachine):
    """Runs of three folders ask, end, are retried and vanish in any order; the setting changes as well."""

    def __init__(self) -> None:
        super().__init__()
        self.turns, self.most, self.made = Turns(), 2, 0
        self.asked: dict[str, Entry] = {}

    def _waiting(self) -> list[Entry]:
        return [entry for run, entry in self.asked.items() if not self.turns.holds(run)]

    @rule(folder=FOLDERS)
    def ask(self, folder: str) -> None:
        self.made += 1
        entry = Entry(f"run-{self.made}", folder, AT)
        self.asked[entry.run] = entry
        self.turns = turns.ask(self.turns, entry, self.most)

    @precondition(lambda self: self.asked)
    @rule(data=st.data())
    def ask_again(self, data: st.DataObject) -> None:
        entry = self.asked[data.draw(st.sampled_from(sorted(self.asked)))]
        assert turns.ask(self.turns, entry, self.most) == self.turns

    @precondition(lambda self: self.turns.running)
    @rule(data=st.data())
    def end(self, data: st.DataObject) -> None:
        """The slot goes to a folder with the fewest, and of those to the run that asked first."""
        ended = data.draw(st.sampled_from(self.turns.running))
        before = self.turns
        self.turns = turns.without(before, lambda entry: entry == ended, self.most, AT)
        del self.asked[ended.run]
        fresh = [entry for entry in self.turns.running if not before.holds(entry.run)]
        if len(before.running) <= self.most and before.waiting:
            served = [entry.folder for entry in before.running if entry != ended]
            fewest = min(served.count(entry.folder) for entry in before.waiting)
            first = next(entry for entry in before.waiting if served.count(entry.folder) == fewest)
            assert [entry.run for entry in fresh] == [first.run]

    @precondition(lambda self: self._waiting())
    @rule(data=st.data())
    def give_up_waiting(self, data: st.DataObject) -> None:
        left = data.draw(st.sampled_from(self._waiting()))
        del self.asked[left.run]
        running = self.turns.running
        self.turns = turns.without(self.turns, lambda entry: entry.run == left.run, self.most, AT)
        assert self.turns.running == running

    @rule(most=st.integers(1, 4))
    def the_setting_changes(self, most: int) -> None:
        self.most = most
        self.turns = turns.granted(self.turns, most, AT)

    @invariant()
    def nobody_is_lost_or_twice(self) -> None:
        known = [entry.run for entry in (*self.turns.running, *self.turns.waiting)]
        assert sorted(known) == sorted(self.asked)

    @invariant()
    def no_slot_is_free_while_somebody_waits(self) -> None:
        assert not self.turns.waiting or len(self.turns.running) >= self.most

    @invariant()
    def those_who_wait_stand_in_the_order_of_asking(self) -> None:
        order = list(self.asked)
        places = [order.index(entry.run) for entry in self.turns.waiting]
        assert places == sorted(places)


TestBurst = Burst.TestCase


@given(st.integers(1, 5), st.lists(FOLDERS, max_size=40))
def test_never_more_than_so_many_train_and_a_folder_waits_for_no_third_job_of_another(
    most: int, folders: list[str]
) -> None:
    held = Turns()
    for number, folder in enumerate(folders):
        held = turns.ask(held, Entry(f"run-{number}", folder, AT), most)
    order: list[str] = []
    while held.running:
        assert len(held.running) <= most
        ended = held.running[0]
        order.append(ended.folder)
        held = turns.without(held, lambda entry, ended=ended: entry == ended, most, AT)  # type: ignore[misc]
    assert sorted(order) == sorted(folders)
    for folder in set(folders):
        # Whoever came first in its folder is served before all that the burst of another folder left behind it.
        assert order.index(folder) <= folders.index(folder)


def test_a_burst_of_one_folder_does_not_starve_the_one_that_comes_after_it() -> None:
    held = Turns()
    for number in range(1000):
        held = turns.ask(held, Entry(f"acme-{number}", "acme", AT), 4)
    held = turns.ask(held, Entry("beta-1", "beta", AT), 4)
    held = turns.without(held, lambda entry: entry.run == "acme-0", 4, AT)
    assert held.holds("beta-1")
    assert not held.holds("acme-4")


def test_taking_twice_is_taking_once_and_waiting_is_told(blob: OneBlob) -> None:
    assert [slots.take(run, "acme") for run in ("a", "a", "b", "c", "c", "a")] == [True, True, True, False, False, True]
    assert blob.writes == 3
    assert slots.give_back("a") == ["c"]
    assert slots.take("c", "acme")
    assert slots.give_back("a") == []
    assert blob.writes == 4


def test_a_late_end_of_an_earlier_attempt_takes_nothing_from_the_retry(blob: OneBlob) -> None:
    assert slots.take("a", "acme", 1)
    assert slots.take("a", "acme", 2)
    assert slots.give_back("a", 1) == []
    assert slots.look().holds("a")
    slots.give_back("a", 2)
    assert not slots.look().running


def test_who_loses_the_race_reads_again_and_decides_anew(blob: OneBlob) -> None:
    assert slots.take("a", "acme")
    blob.between = lambda: (slots.take("b", "acme"), None)[1]
    assert not slots.take("c", "acme"), "both slots were gone by the time that it wrote"
    assert [entry.run for entry in slots.look().running] == ["a", "b"]


def test_two_who_make_the_blob_at_once_both_stand_in_it(blob: OneBlob) -> None:
    blob.between = lambda: (slots.take("b", "acme"), None)[1]
    assert slots.take("a", "acme")
    assert {entry.run for entry in slots.look().running} == {"a", "b"}


def test_conflicts_without_end_are_told_after_bounded_tries(blob: OneBlob) -> None:
    blob.clashes = 1000
    with pytest.raises(ConflictError, match="at once"):
        slots.take("a", "acme")
    assert blob.reads == slots.TRIES


def test_a_crash_leaks_no_slot_and_no_place(blob: OneBlob) -> None:
    for run in ("a", "b", "c", "d"):
        slots.take(run, "acme")
    assert slots.prune(lambda run: run in ("b", "d")) == ["d"]
    held = slots.look()
    assert ([entry.run for entry in held.running], held.waiting) == (["b", "d"], ())
    writes = blob.writes
    assert slots.prune(lambda run: True) == []
    assert blob.writes == writes


def test_prune_looks_again_where_a_retry_came_between(blob: OneBlob) -> None:
    slots.take("a", "acme", 1)
    alive: set[str] = set()

    def retried() -> None:
        alive.add("a")
        slots.take("a", "acme", 2)

    blob.between = retried
    slots.prune(lambda run: run in alive)
    assert slots.look().holds("a")


def test_a_broken_blob_stops_nobody(blob: OneBlob, caplog: pytest.LogCaptureFixture) -> None:
    blob.data, blob.version = b'[[["a"', 7
    assert slots.take("a", "acme")
    assert slots.look().holds("a")
    assert "cannot be read" in caplog.text


def test_what_is_read_broken_once_is_read_again(blob: OneBlob, monkeypatch: pytest.MonkeyPatch) -> None:
    slots.take("a", "acme")
    whole, read = blob.data, blob.read
    answers = [(b"<html>", "1")]
    monkeypatch.setattr(blob, "read", lambda *a: answers.pop() if answers else read(*a))
    assert slots.take("b", "acme")
    assert whole is not None
    assert slots.look().holds("a")


def test_ten_thousand_that_wait_stay_small() -> None:
    entries = tuple(
        Entry(f"customer-support-ab-{number:010x}", f"customer-support-{number % 99}", AT) for number in range(10_000)
    )
    data = msgspec.json.encode(Turns((), entries))
    assert len(data) < 1_200_000
    assert msgspec.json.decode(data, type=Turns).waiting == entries
