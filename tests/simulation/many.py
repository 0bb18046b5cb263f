"""Many seeds, in several processes, and the figures that come of them."""

from __future__ import annotations

import multiprocessing
import re
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial

from tests.simulation.schedules import Outcome, run
from tests.simulation.setting import production


@dataclass
class Figures:
    """What was run, what fired, what failed."""

    schedules: int = 0
    steps: int = 0
    calls: int = 0
    seconds: float = 0.0
    fired: Counter[tuple[str, str]] = field(default_factory=Counter)
    failed: dict[int, str] = field(default_factory=dict)

    def add(self, outcome: Outcome) -> None:
        """Counts one."""
        self.schedules += 1
        self.steps += outcome.steps
        self.calls += outcome.calls
        self.fired.update(outcome.fired)
        if outcome.violation:
            self.failed[outcome.seed] = outcome.violation

    def join(self, other: Figures) -> None:
        """Takes in what another lot of schedules gave."""
        self.schedules += other.schedules
        self.steps += other.steps
        self.calls += other.calls
        self.seconds += other.seconds
        self.fired.update(other.fired)
        self.failed.update(other.failed)

    def kinds(self) -> dict[str, list[int]]:
        """Seeds by what they violated, names and numbers left out."""
        found: dict[str, list[int]] = {}
        for seed, told in sorted(self.failed.items()):
            words = re.sub(r"\(.*|\{.*|\[.*|\S*[/~]\S*|\b(acme|beta|gamma)\S*", "", told)
            kind = " ".join(re.sub(r"\d+(\.\d+)? s|: could not.*|[0-9a-f]{6,}", "", words).split())[:110]
            found.setdefault(kind, []).append(seed)
        return found

    def told(self) -> str:
        """For people."""
        lines = [
            f"{self.schedules} schedules, {self.steps} steps, {self.calls} calls, {sum(self.fired.values())} faults of "
            f"{len(self.fired)} kinds fired, {len(self.failed)} violations, {self.seconds:.0f} s"
        ]
        for kind, seeds in sorted(self.kinds().items(), key=lambda item: -len(item[1])):
            lines.append(f"  {len(seeds)} × {kind}: e.g. {self.failed[seeds[0]]}")
            lines += [f"      python -m tests.simulation --seed {seed}" for seed in seeds[:3]]
        return "\n".join(lines)


def run_many(first: int, count: int, processes: int, webhooks: bool = False) -> Figures:
    """Runs seeds from `first` on; `webhooks`: their folders name some."""
    began = time.monotonic()
    figures = Figures()
    seeds = range(first, first + count)
    if processes == 1:
        for outcome in _some(seeds, webhooks):
            figures.add(outcome)
    else:
        parts = [seeds[at : at + 25] for at in range(0, count, 25)]
        with multiprocessing.get_context("fork").Pool(processes) as pool:
            for outcomes in pool.imap_unordered(partial(_some, webhooks=webhooks), parts):
                for outcome in outcomes:
                    figures.add(outcome)
    figures.seconds = time.monotonic() - began
    return figures


def _some(seeds: Iterable[int], webhooks: bool) -> list[Outcome]:
    with production(stubbed=True):
        return [run(seed, webhooks=webhooks) for seed in seeds]
