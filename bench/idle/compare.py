"""Policies beside each other: cost as a multiple of the optimum in hindsight, money, cold starts."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from statistics import fmean

from bench.idle.replay import POLICIES, Bill, Policy, hindsight, replay
from bench.idle.traces import KINDS, MINUTE, WEEKS, trace
from bench.row import Row

TUNED_ON = range(12)  # rules and constants were chosen on these
SEEDS = range(1000, 1040)  # and on these they are judged
SIZE = "Standard_NC24ads_A100_v4"
LAG, TICK = 5 * MINUTE, 2.5 * MINUTE  # Azure Monitor's, and half the pause between two looks


@dataclass(frozen=True)
class Result:
    """A policy over the seeds of one kind: the geometric mean and the worst of its ratios, and means of a week."""

    ratio: float
    worst: float
    hours_a_week: float
    cold_a_week: float


def results(make: Callable[[], Policy], kind: str, seeds: Iterable[int], tick: float = 0.0) -> Result:
    """Replay every seed of a kind."""
    bills, ratios = [], []
    for seed in seeds:
        made = trace(kind, seed)
        bills.append(replay(made, make(), tick))
        ratios.append(bills[-1].cost / hindsight(made).cost)
    return _result(bills, ratios)


def optimum(kind: str, seeds: Iterable[int]) -> Result:
    """What the best windows would have cost."""
    bills = [hindsight(trace(kind, seed)) for seed in seeds]
    return _result(bills, [1.0])


def _result(bills: list[Bill], ratios: list[float]) -> Result:
    hours, cold = (fmean(bill.billed / 3600 for bill in bills), fmean(bill.cold for bill in bills))
    return Result(mean(ratios), max(ratios), hours / WEEKS, cold / WEEKS)


def mean(ratios: Iterable[float]) -> float:
    """Return the geometric mean."""
    return math.exp(fmean(math.log(ratio) for ratio in ratios))


def measure() -> Iterator[Row]:
    """Ours over all kinds, on seeds that nothing was tuned on."""
    names = ("auto", "half an hour", "an hour")
    by_kind = {kind: [results(POLICIES[name], kind, SEEDS).ratio for name in names] for kind in KINDS}
    ours, half, hour = map(mean, zip(*by_kind.values(), strict=True))
    note = f"{len(KINDS)} kinds of traces, {len(SEEDS)} seeds each that were not tuned on; "
    note += f"half an hour {half:.2f}, an hour {hour:.2f}"
    yield Row("idle policy: cost over the best in hindsight", 1.15, ours, "×", note)
    kind = max(by_kind, key=lambda kind: by_kind[kind][0])
    yield Row("idle policy, the worst kind of traces", 1.4, by_kind[kind][0], "×", f"{kind}; all: python -m bench.idle")
