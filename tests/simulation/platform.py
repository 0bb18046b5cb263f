"""What runs droptune in a simulation: instances of the functions host with their triggers, as the platform has them."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from shared.lifecycle import advance, intake, poison, reconcile
from tests.simulation.faults import Faults
from tests.simulation.kernel import Actor, Kernel, Process
from tests.simulation.outside.blobs import Written
from tests.simulation.outside.queue import Message
from tests.simulation.outside.workspace import FakeJob
from tests.simulation.outside.world import World

BATCH, VISIBILITY, MOST_DELIVERIES, RETRY_SECONDS = 8, 300.0, 5, 5.0
TICK = 300.0
TIMERS: tuple[tuple[str, float, Callable[[], Any]], ...] = (
    ("reconcile", 0.0, lambda: reconcile.reconcile()),
    ("idle_teardown", 30.0, lambda: reconcile.look_at_awake()),
)


@dataclass
class Profile:
    """How well the platform behaves: chances for each event, message and tick."""

    hosts: int = 1
    skews: tuple[float, ...] = (0.0,)
    events_lost: float = 0.0
    events_doubled: float = 0.0
    events_late: float = 0.0
    messages_lost: float = 0.0
    ticks_lost: float = 0.0
    ticks_doubled: float = 0.0
    ticks_late: float = 0.0
    restart: float = 20.0
    deaf: bool = False  # what is lost is lost in quiet times too

    def calm(self) -> None:
        """From here on the platform does what it should."""
        if not self.deaf:
            self.events_lost = self.messages_lost = 0.0
        self.events_doubled = self.events_late = self.ticks_lost = self.ticks_doubled = self.ticks_late = 0.0


@dataclass
class Invocation:
    """What a function was called for, and what became of it; `result` is an exception where it raised one."""

    what: str
    began: float
    ended: float
    calls: int
    result: Any = None


@dataclass
class Platform:
    """Hosts, queue trigger, timers, Event Grid."""

    world: World
    faults: Faults
    profile: Profile
    hosts: list[Process] = field(default_factory=list)
    invocations: list[Invocation] = field(default_factory=list)
    told: Callable[[str], None] | None = None
    deliveries: int = 0
    kept: bool = True

    def __post_init__(self) -> None:
        self.kernel: Kernel = self.world.kernel
        self._pumping: set[float] = set()
        self._born = 0
        self.faults.kill = self.kill
        for number in range(self.profile.hosts):
            self._birth(number)
        self.world.queue.heard = self._visible_at
        self.world.blobs.heard.append(self._blob_event)
        self.world.jobs.heard.append(self._job_event)
        for name, offset, call in TIMERS:
            self._tick(name, offset + TICK, call)

    def _birth(self, number: int) -> None:
        self._born += 1
        skews = self.profile.skews
        process = Process(f"host{number + 1}.{self._born}", skews[number % len(skews)])
        if number < len(self.hosts):
            self.hosts[number] = process
        else:
            self.hosts.append(process)

    def kill(self, process: Process) -> None:
        """Ends a host; the platform starts another in its place."""
        if not process.alive or process not in self.hosts:
            return
        number = self.hosts.index(process)
        self.kernel.kill(process)
        self._say(f"{process.name} is killed")
        self.kernel.after(self.profile.restart, lambda: self._birth(number))

    def stop(self, process: Process, seconds: float) -> None:
        """SIGSTOP."""
        self._say(f"{process.name} is stopped for {seconds:.0f} s")
        self.kernel.freeze(process, seconds)

    def host(self) -> Process | None:
        """A host that lives and is not stopped."""
        ready = [host for host in self.hosts if host.alive and host.frozen_until <= self.kernel.now]
        return self.kernel.random.choice(ready) if ready else None

    def invoke(self, what: str, host: Process, run: Callable[[], Any], ended: Callable[[Actor, Any], None]) -> None:
        """Calls a function; one that was doomed dies where it would end."""

        def over(actor: Actor, result: Any) -> None:
            if self.kept:
                self.invocations.append(Invocation(what, actor.began, self.kernel.now, actor.calls, result))
            if isinstance(result, Exception):
                self._say(f"{actor.name} raised {type(result).__name__}: {result}")
            if actor.doomed:
                self.kill(actor.process)
                return
            ended(actor, result)

        self.kernel.spawn(f"{host.name} {what}", host, run, over)

    def request(self, what: str, run: Callable[[], Any], answered: Callable[[Any], None]) -> bool:
        """An HTTP request to one of the hosts; False where none is there. A killed host answers nothing."""
        host = self.host()
        if host is None:
            return False
        self.invoke(what, host, run, lambda _, result: answered(result))
        return True

    def _visible_at(self, when: float) -> None:
        at = when + 0.05 + 0.4 * self.kernel.random.random()
        self.kernel.at(at, self._pump)

    def _pump(self) -> None:
        queue, host = self.world.queue, self.host()
        if not any(message.visible_at <= self.kernel.now for message in queue.messages.values()):
            return
        if host is None:
            self.kernel.after(5.0, self._pump)
            return
        fault = self.faults.at_platform("queue receive", host)
        if fault in ("503", "time-out before", "killed before"):
            self.kernel.after(5.0, self._pump)
            return
        found = queue.receive(BATCH, VISIBILITY)
        if fault or not host.alive:
            return  # received, and nobody knows
        for message in found:
            self._deliver(host, message)
        self.kernel.after(0.5, self._pump)

    def _deliver(self, host: Process, message: Message) -> None:
        if message.deliveries > MOST_DELIVERIES:
            self._poison(message, 1)
            return
        if self._happens(self.profile.messages_lost):
            self._say(f"the message {message.body} is lost")
            self.world.queue.delete(message, message.receipt)
            return
        receipt, delivery, body = message.receipt, message.deliveries, message.body.encode()
        self.deliveries += 1

        def ended(actor: Actor, result: Any) -> None:
            self._say(f"{actor.name}: {result}")
            if not isinstance(result, Exception):
                self._done(host, message, receipt)
            elif delivery >= MOST_DELIVERIES:
                self._poison(message, 1)
            else:
                self.world.queue.back(message, receipt, RETRY_SECONDS)

        self.invoke(f"advance {message.body}", host, lambda: advance.advance(body, delivery), ended)

    def _done(self, host: Process, message: Message, receipt: int) -> None:
        fault = self.faults.at_platform("queue delete", host)
        if fault in ("", "time-out after the effect", "killed after the effect"):
            self.world.queue.delete(message, receipt)

    def _poison(self, message: Message, delivery: int) -> None:
        self.world.queue.put_aside(message)
        self._say(f"poison: {message.body}")

        def begin() -> None:
            host = self.host()
            if host is None:
                self.kernel.after(5.0, begin)
                return
            self.invoke("poison", host, lambda: poison.poisoned(message.body.encode()), ended)

        def ended(_: Actor, result: Any) -> None:
            if isinstance(result, Exception) and delivery < MOST_DELIVERIES:
                self.kernel.after(VISIBILITY, lambda: self._poison(message, delivery + 1))
            else:
                self.world.queue.poison.pop(message.number, None)

        self.kernel.after(1.0, begin)

    def _tick(self, name: str, seconds: float, call: Callable[[], Any]) -> None:
        def due() -> None:
            self._tick(name, TICK, call)
            if self._happens(self.profile.ticks_lost):
                return
            late = 600.0 * self.kernel.random.random() if self._happens(self.profile.ticks_late) else 0.0
            times = 2 if self._happens(self.profile.ticks_doubled) else 1
            for _ in range(times):
                self.kernel.after(late, lambda: self._run_timer(name, call))

        self.kernel.after(seconds, due)

    def _run_timer(self, name: str, call: Callable[[], Any]) -> None:
        host = self.host()
        if host is not None:
            self.invoke(name, host, call, lambda _, result: None)

    def _blob_event(self, written: Written) -> None:
        if written.container == "datasets" and written.data is not None:
            path = written.path
            if not path.endswith((".report.json", ".report.html")) or self._happens(0.02):
                self.event(f"BlobCreated {path}", lambda: intake.blob_created(path))

    def _job_event(self, what: str, job: FakeJob) -> None:
        if what == "status":
            name = job.spec.name
            self.event(f"job {name} {job.status}", lambda: intake.job_changed(name))

    def event(self, what: str, call: Callable[[], Any]) -> None:
        """Event Grid: at least once, in no order, at times late, and here at times never."""
        if self._happens(self.profile.events_lost):
            self._say(f"the event {what} is lost")
            return
        for _ in range(2 if self._happens(self.profile.events_doubled) else 1):
            late = 1800.0 if self._happens(self.profile.events_late) else 2.0
            self.kernel.after(0.1 + late * self.kernel.random.random(), lambda: self._push(what, call, 1))

    def _push(self, what: str, call: Callable[[], Any], attempt: int) -> None:
        def again() -> None:
            if attempt < 6:
                self.kernel.after(10.0 * 2**attempt, lambda: self._push(what, call, attempt + 1))

        def ended(_: Actor, result: Any) -> None:
            if isinstance(result, Exception):
                again()

        host = self.host()
        if host is None or self.faults.at_platform("event delivery", host):
            again()
            return
        self.invoke(what, host, call, ended)

    def _happens(self, chance: float) -> bool:
        return chance > 0 and self.kernel.random.random() < chance

    def _say(self, line: str) -> None:
        if self.told is not None:
            self.told(line)


def driven(call: Coroutine[Any, Any, Any]) -> Any:
    """What a coroutine that never really waits returns."""
    try:
        call.send(None)
    except StopIteration as over:
        return over.value
    raise AssertionError("something waited for an event loop")
