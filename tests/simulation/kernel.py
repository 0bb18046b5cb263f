"""The scheduler: one thread, one seeded random source, actors that take turns at their calls outside."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from greenlet import getcurrent, greenlet

EPOCH = 1_800_000_000.0  # when every simulation begins: 2027-01-15T08:00:00Z


class Killed(BaseException):
    """The process of an actor is gone: nothing that it does from here on has an effect."""


@dataclass(eq=False)
class Process:
    """Something that runs droptune: its memory, how wrong its clock is, whether it lives or is stopped."""

    name: str
    skew: float = 0.0
    alive: bool = True
    frozen_until: float = 0.0
    memory: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.memory["instance"] = self.name


@dataclass(eq=False)
class Actor:
    """One thing that goes on at a time: an invocation of a function, a request, a person."""

    name: str
    process: Process
    began: float = 0.0
    doomed: str = ""  # the point at which its process will be killed
    calls: int = 0
    thread: Any = None

    def refuse_if_dead(self) -> None:
        """Raises where its process is gone."""
        if not self.process.alive:
            raise Killed


class Kernel:
    """Time and turns."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.now = EPOCH
        self.until = EPOCH
        self.steps = 0
        self.current: Actor | None = None
        self.broken: BaseException | None = None
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0
        self._main = getcurrent()

    def at(self, when: float, call: Callable[[], None]) -> None:
        """Calls something at a moment; what is past comes next."""
        self._count += 1
        heapq.heappush(self._heap, (max(when, self.now), self._count, call))

    def after(self, seconds: float, call: Callable[[], None]) -> None:
        """Calls something in so many seconds."""
        self.at(self.now + seconds, call)

    def spawn(
        self, name: str, process: Process, run: Callable[[], Any], ended: Callable[[Actor, Any], None] | None = None
    ) -> Actor:
        """Begins an actor at once; `ended` hears its result or its exception; of one that was killed nobody hears."""
        actor = Actor(name, process, self.now)

        def body() -> None:
            try:
                result: Any = run()
            except Killed:
                return
            except Exception as error:
                result = error
            if process.alive and ended is not None:
                ended(actor, result)
            elif process.alive and isinstance(result, Exception):
                self.broken = result

        actor.thread = greenlet(body, self._main)
        self.at(self.now, lambda: self._resume(actor))
        return actor

    def pause(self, seconds: float) -> None:
        """The current actor waits: others may go on."""
        actor = self.current
        assert actor is not None
        wake = max(self.now + seconds, actor.process.frozen_until)
        self.steps += 1
        if wake <= self.until and (not self._heap or self._heap[0][0] > wake):
            self.now = wake
            return
        self.at(wake, lambda: self._resume(actor))
        self._main.switch()

    def _resume(self, actor: Actor) -> None:
        if actor.process.frozen_until > self.now:
            self.at(actor.process.frozen_until, lambda: self._resume(actor))
            return
        self.current = actor
        try:
            actor.thread.switch()
        finally:
            self.current = None

    def run(self, until: float) -> None:
        """Goes on until a moment."""
        self.until = until
        while self._heap and self._heap[0][0] <= until:
            self.now, _, call = heapq.heappop(self._heap)
            call()
            if self.broken is not None:
                raise self.broken
        self.now = until

    def kill(self, process: Process) -> None:
        """Ends a process: whatever it does next has no effect."""
        process.alive = False

    def freeze(self, process: Process, seconds: float) -> None:
        """Stops a process, as SIGSTOP does; its clock goes on."""
        process.frozen_until = max(process.frozen_until, self.now + seconds)


@dataclass
class SimulatedClock:
    """The clock of the actor whose turn it is."""

    kernel: Kernel

    def now(self) -> Any:
        """This moment as the actor's machine sees it."""
        from datetime import UTC, datetime

        actor = self.kernel.current
        return datetime.fromtimestamp(self.kernel.now + (actor.process.skew if actor else 0.0), UTC)

    def monotonic(self) -> float:
        """Seconds since the beginning."""
        return self.kernel.now - EPOCH + 1000.0

    def later(self, seconds: float, call: Callable[..., None], *arguments: Any) -> None:
        """Calls something in the same process, where that lives then."""
        actor = self.kernel.current
        assert actor is not None
        process = actor.process

        def begin() -> None:
            if process.alive:
                self.kernel.spawn(f"{process.name} later", process, lambda: call(*arguments))

        self.kernel.after(seconds, begin)
