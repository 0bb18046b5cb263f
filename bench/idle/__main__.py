"""Print the whole comparison: `python -m bench.idle`; `--tuned-on` takes the seeds that the rules were chosen on."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence

from rich.console import Console
from rich.table import Table

from bench.idle.compare import LAG, SEEDS, SIZE, TICK, TUNED_ON, Result, mean, optimum, results
from bench.idle.replay import POLICIES, Auto
from bench.idle.traces import KINDS, at_break_even
from shared.training import prices


def _rows(seeds: Sequence[int]) -> dict[str, Callable[[str], Result]]:
    rows: dict[str, Callable[[str], Result]] = {
        name: lambda kind, make=make: results(make, kind, seeds)  # type: ignore[misc]
        for name, make in POLICIES.items()
    }
    rows["in hindsight"] = lambda kind: optimum(kind, seeds)
    rows["auto, late metrics"] = lambda kind: results(lambda: Auto(LAG), kind, seeds, TICK)
    return rows


def main() -> None:
    """Replay everything and print three tables."""
    parser = argparse.ArgumentParser(prog="python -m bench.idle", description=__doc__)
    parser.add_argument("--tuned-on", action="store_true", help="the seeds that the rules were chosen on")
    seeds = TUNED_ON if parser.parse_args().tuned_on else SEEDS
    kinds = [*KINDS, at_break_even.__name__]
    by_kind = {kind: {name: row(kind) for name, row in _rows(seeds).items()} for kind in kinds}
    found = {name: {kind: by_kind[kind][name] for kind in kinds} for name in by_kind[kinds[0]]}
    hourly = prices.hourly(SIZE) or 0.0
    console = Console(width=150)
    console.print(f"{len(seeds)} seeds a kind, from {seeds[0]}; {SIZE} at {hourly:.2f} USD an hour\n")
    console.print(_table("cost over hindsight", found, kinds, lambda one: f"{one.ratio:.2f} ({one.worst:.2f})", True))
    console.print(_table("USD a week", found, kinds, lambda one: f"{one.hours_a_week * hourly:.0f}"))
    console.print(_table("cold starts a week", found, kinds, lambda one: f"{one.cold_a_week:.1f}"))
    console.print(
        "in brackets: the worst single trace. The mean is geometric, over the seven kinds; at_break_even is outside it:\n"
        "pauses that nobody can foretell, for which no rule has less than 1.58. Late metrics: 5 minutes, looked at every 5."
    )


def _table(
    what: str,
    found: dict[str, dict[str, Result]],
    kinds: Sequence[str],
    cell: Callable[[Result], str],
    means: bool = False,
) -> Table:
    table = Table(what, *(["mean", "worst kind"] if means else []), *kinds, box=None, pad_edge=False)
    for name, by_kind in found.items():
        ratios = [by_kind[kind].ratio for kind in KINDS]
        heads = [f"{mean(ratios):.3f}", f"{max(ratios):.3f}"] if means else []
        table.add_row(name, *heads, *(cell(by_kind[kind]) for kind in kinds))
    return table


if __name__ == "__main__":
    main()
