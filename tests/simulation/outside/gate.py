"""The one door through which every call outside goes: a turn for others, a fault perhaps, then the effect."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from tests.simulation.faults import Faults
from tests.simulation.kernel import Kernel

Answer = TypeVar("Answer")
RAISES: Any = object()


class Gate:
    """Counts calls, lets others go on before each, and asks the plan of faults what becomes of it."""

    def __init__(self, kernel: Kernel, faults: Faults) -> None:
        self.kernel, self.faults = kernel, faults
        self.calls = 0
        self.on_point: dict[str, Callable[[], None]] = {}
        self.told: Callable[[str], None] | None = None

    def call(self, point: str, about: str, effect: Callable[[], Answer], missing: Any = RAISES) -> Answer:
        """Does one call; `missing` is what its gateway answers where Azure says 404."""
        kernel = self.kernel
        actor = kernel.current
        if actor is None:  # the checker, or a contract test: no turn, no fault
            return effect()
        actor.refuse_if_dead()
        actor.calls += 1
        self.calls += 1
        kernel.pause(self.faults.latency())
        actor.refuse_if_dead()
        if point in self.on_point:
            self.on_point[point]()
        if self.told is None:
            return self.faults.through(actor, point, effect, missing)
        return self._told(actor, point, about, effect, missing)

    def _told(self, actor: Any, point: str, about: str, effect: Callable[[], Answer], missing: Any) -> Answer:
        assert self.told is not None
        fired = self.faults.fired_in_all
        try:
            answer = self.faults.through(actor, point, effect, missing)
        except BaseException as error:
            mark = "  FAULT" if self.faults.fired_in_all > fired else ""
            self.told(f"{actor.name}: {point} {about} -> {type(error).__name__}: {str(error)[:150]}{mark}")
            raise
        mark = f"  FAULT {self.faults.last}" if self.faults.fired_in_all > fired else ""
        self.told(f"{actor.name}: {point} {about} -> {str(answer)[:150]}{mark}")
        return answer
