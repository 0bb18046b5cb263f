"""The judge: it hears everything that happens outside and knows the wishes; of our records only their history (14, 43)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tests.simulation.history import History

if TYPE_CHECKING:
    from tests.simulation.story import Simulation

CHECKS: dict[str, tuple[tuple[int, ...], str]] = {}


class Violation(AssertionError):
    """Something happened that must not."""


def shows(*numbers: int) -> Callable[[Any], Any]:
    """Registers a check under the invariants that it shows."""

    def register(check: Any) -> Any:
        CHECKS[check.__qualname__] = (numbers, str(check.__doc__ or "").strip().splitlines()[0])
        check.numbers = numbers
        return check

    return register


class Judge:
    """Base of all judges: they say what is wrong, and the world stops."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.simulation: Simulation = history.simulation

    def wrong(self, numbers: tuple[int, ...], told: str) -> None:
        """Stops the simulation with what is wrong."""
        kernel = self.simulation.kernel
        if kernel.broken is None:
            named = ", ".join(map(str, numbers))
            kernel.broken = Violation(f"invariant {named}: {told} (at {self.simulation.clock()})")


class Checker:
    """All judges of one simulation."""

    def __init__(self, simulation: Simulation) -> None:
        from tests.simulation.checks.answers import Answers
        from tests.simulation.checks.data import Data
        from tests.simulation.checks.identity import Identity
        from tests.simulation.checks.money import Money
        from tests.simulation.checks.notices import Notices
        from tests.simulation.checks.records import Records
        from tests.simulation.checks.rest import Rest
        from tests.simulation.checks.topic import Topic

        self.history = History(simulation)
        self.judges = [kind(self.history) for kind in (Identity, Data, Money, Records, Answers)]
        self.rest = Rest(self.history)
        self.ends = [self.rest, Topic(self.history), Notices(self.history)]

    def at_rest(self) -> str:
        """What is still going on, or an empty text."""
        return next((told for judge in self.ends if (told := judge.goes_on())), "")

    def finish(self) -> None:
        """Judges the end."""
        for judge in (*self.judges, *self.ends):
            for name in dir(type(judge)):
                if name.startswith("end_"):
                    getattr(judge, name)()
        broken = self.history.simulation.kernel.broken
        if broken is not None:
            raise broken


def table() -> dict[int, list[str]]:
    """The checks that show each invariant."""
    from tests.simulation.checks import answers, data, identity, money, notices, records, rest, topic  # noqa: F401

    found: dict[int, list[str]] = {}
    for name, (numbers, _) in CHECKS.items():
        for number in numbers:
            found.setdefault(number, []).append(name)
    return dict(sorted(found.items()))


def counted(values: Any) -> str:
    """What is there how often, for messages."""
    return ", ".join(f"{value} × {count}" for value, count in sorted(Counter(values).items()))
