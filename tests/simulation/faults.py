"""What may go wrong with a call outside, and the plans that say when it does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from shared.errors import ConflictError, DeniedError, NotFoundError, RejectedError, ServiceError, TransientError
from tests.simulation.kernel import Actor, Kernel, Killed

KILLS = (
    "killed before",
    "killed after the effect",
    "killed before saving",
    "killed before sending",
    "killed at the end",
)
REFUSALS = ("400", "401", "403", "404", "409", "412")
PASSING = ("429", "429 with Retry-After", "500", "503", "time-out before", "reset")
AFTER = ("time-out after the effect", "half a body", "garbage", "conflict after the effect")
GONE = "424"  # the deployment's container starts again
FAULTS = (*KILLS, *REFUSALS, *PASSING, *AFTER, GONE)
RETRY_AFTER = 40.0
# Points at which a writer's condition can make the SDK's own retry of a call that had its effect answer 409 or 412.
CONDITIONAL = ("record write", "record create", "job create", "report write", "marker delete")
PLATFORM_POINTS = ("queue receive", "queue delete", "event delivery")
PLATFORM = ("killed before", "killed after the effect", "503", "time-out after the effect", "time-out before")
ASKED = ("invoke", "invoke probe")
ANSWERED = (*ASKED, "webhook post")  # their gateways raise nothing
SAVES, SENDS = ("record write", "record create"), ("queue send",)


def _error(kind: type[ServiceError], told: str, status: int | None) -> ServiceError:
    return kind(f"could not do it: {told}", "", status)


def raised(fault: str) -> ServiceError:
    """The error of ours that a gateway makes of a fault."""
    if fault == "400":
        return _error(RejectedError, "Bad Request", 400)
    if fault in ("401", "403"):
        return _error(DeniedError, "the identity lacks a role", int(fault))
    if fault == "404":
        return _error(NotFoundError, "Not Found", 404)
    if fault in ("409", "412"):
        return _error(ConflictError, "somebody else was there first", int(fault))
    if fault == "conflict after the effect":
        return _error(ConflictError, "the SDK's second try met what the first one did", 412)
    status = {"429": 429, "429 with Retry-After": 429, "500": 500, "503": 503}.get(fault)
    error = TransientError(f"could not do it: {fault}", "", status)
    if fault == "429 with Retry-After":
        error.retry_after = RETRY_AFTER
    return error


@dataclass
class Faults:
    """The plan of one run: exact ones by the number of a call, and random ones by point and rate."""

    kernel: Kernel
    exact: dict[int, str] = field(default_factory=dict)
    wanted: dict[str, list[str]] = field(default_factory=dict)
    rate: float = 0.0
    kinds: tuple[str, ...] = FAULTS
    slow: float = 0.0
    kill: Callable[[Any], None] = lambda process: None
    fired: Counter[tuple[str, str]] = field(default_factory=Counter)
    reached: Counter[str] = field(default_factory=Counter)
    points: list[tuple[str, str]] | None = None
    fired_in_all: int = 0
    times: list[float] = field(default_factory=list)
    last: str = ""
    index: int = 0

    @property
    def random(self) -> Random:
        """The kernel's."""
        return self.kernel.random

    def quiet(self) -> None:
        """From here on nothing goes wrong."""
        self.exact, self.wanted, self.rate, self.slow = {}, {}, 0.0, 0.0

    def latency(self) -> float:
        """Seconds that a call takes."""
        chance = self.random.random()
        return 20.0 if chance < self.slow else 0.01 + 0.2 * chance

    def through(self, actor: Actor, point: str, effect: Callable[[], Any], missing: Any) -> Any:
        """Does a call, or what a fault makes of it."""
        number, self.index = self.index, self.index + 1
        self.reached[point] += 1
        if self.points is not None:
            self.points.append((point, actor.name))
        if actor.doomed and self._falls(actor, point):
            raise Killed
        fault = self._chosen(number, point, actor)
        if not fault:
            return effect()
        self.fired[point, fault] += 1
        self.times.append(self.kernel.now)
        self.fired_in_all += 1
        self.last = fault
        return self._apply(actor, point, fault, effect, missing)

    def at_platform(self, point: str, process: Any) -> str:
        """The fault that befalls a call of the platform itself, or an empty text."""
        self.reached[point] += 1
        fault = ""
        if (wanted := self.wanted.get(point)) and self.random.random() < 0.5:
            fault = wanted.pop()
        elif self.rate and self.random.random() < self.rate:
            fault = self.random.choice(PLATFORM)
        if fault:
            self.fired[point, fault] += 1
            self.times.append(self.kernel.now)
            if fault in KILLS:
                self.kill(process)
        return fault

    def _falls(self, actor: Actor, point: str) -> bool:
        falls = (actor.doomed == "killed before saving" and point in SAVES) or (
            actor.doomed == "killed before sending" and point in SENDS
        )
        if falls:
            self.kill(actor.process)
        return falls

    def _chosen(self, number: int, point: str, actor: Actor) -> str:
        fault = self.exact.pop(number, "")
        if not fault and (wanted := self.wanted.get(point)) and self.random.random() < 0.5:
            fault = wanted.pop()
        if not fault and self.rate and self.random.random() < self.rate:
            fault = self.random.choice(self.kinds)
        return fault if applies(point, fault) else ""

    def _apply(self, actor: Actor, point: str, fault: str, effect: Callable[[], Any], missing: Any) -> Any:
        if fault == "killed before":
            self.kill(actor.process)
            raise Killed
        if fault == "killed after the effect":
            effect()
            self.kill(actor.process)
            raise Killed
        if fault in KILLS:
            actor.doomed = actor.doomed or fault
            return effect()
        from tests.simulation.outside.gate import RAISES

        if fault == "404" and missing is not RAISES:
            return missing
        if point in ANSWERED:
            return self._reply(fault, effect)
        if fault in AFTER:
            answer = effect()
            if fault == "garbage" and point.endswith("read") and isinstance(answer, tuple):
                return b"<html>gateway</html>", answer[1]
        raise raised(fault)

    def _reply(self, fault: str, effect: Callable[[], Any]) -> Any:
        """A gateway that raises nothing answers what came, 0 or 408."""
        from shared.azure.seen import Reply

        if fault == GONE:
            return Reply(424, {"ms-azureml-model-error-statuscode": "503"})
        if fault.isdigit():
            return Reply(int(fault))
        if fault == "429 with Retry-After":
            return Reply(429, {"Retry-After": str(RETRY_AFTER)})
        if fault == "time-out before":
            return Reply(408)
        if fault == "reset":
            return Reply(0)
        effect()
        return (
            Reply(408)
            if fault == "time-out after the effect"
            else Reply(0)
            if fault == "half a body"
            else Reply(200, {}, b"<html>")
        )


def applies(point: str, fault: str) -> bool:
    """Whether a fault can befall a call of this kind at all."""
    if fault == "conflict after the effect":
        return point in CONDITIONAL
    if fault == GONE:
        return point in ASKED
    if point in ASKED and fault in ("409", "412"):
        return False  # scoring knows no conflicts
    if point in PLATFORM_POINTS:
        return fault in PLATFORM
    return True
