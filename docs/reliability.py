"""docs/reliability.md: what the simulation ran, and which check shows which invariant."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any

FIGURES = Path(__file__).with_name("reliability.json")
CHAOS = Path(__file__).with_name("chaos.json")


def page() -> str:
    """Return the page: figures, faults by point, checks by invariant, planted bugs."""
    return "\n".join(
        [
            _head(),
            _figures(json.loads(FIGURES.read_text())),
            _chaos(json.loads(CHAOS.read_text())),
            _checks(),
            _planted(),
        ]
    )


def _head() -> str:
    return (
        "# Reliability\n\nProduction code runs in a simulated world (`tests/simulation/`): one thread, one seeded random "
        "source, a simulated clock; only the clock and what is outside (`shared.azure.outside`) are replaced. Actors (function "
        "hosts, timers, Event Grid, people, clients) take turns at every call outside, and every call may be hit by a "
        "fault: the process killed at five points, 400 to 503, time-outs before and after the effect, a reset, half a "
        "body, garbage. A checker that knows the world outside alone judges each moment, and the end. `make simulate` runs "
        "it, `python -m tests.simulation --seed N` replays one schedule step by step.\n"
    )


def _figures(found: dict[str, Any]) -> str:
    rows = {
        "random schedules": f"{found['schedules']:,} ({found['steps']:,} steps, {found['seconds']} s)",
        "faults fired in them": f"{sum(found['fired'].values()):,}, of {found['kinds']:,} kinds (a fault at a point)",
        "violations": found["violations"],
        "single faults swept": f"{found['sweep_cases']:,} cases over {found['sweep_calls']} calls of the way upload → live → "
        f"asleep → woken → superseded; {found['sweep_others']} ended with a clear no",
        "violations of the sweep": found["sweep_violations"],
        "planted bugs": f"{found['mutants']}; `make mutants` fails where one is not caught",
    }
    lines = [
        "## The last run\n",
        "| what | figure |",
        "|---|---|",
        *(f"| {what} | {said} |" for what, said in rows.items()),
    ]
    lines += [
        "\n| call | faults fired |",
        "|---|---|",
        *(f"| {point} | {times:,} |" for point, times in found["fired"].items()),
    ]
    for name, told in (("rare", "calls had less than 100 faults"), ("never", "faults never befell their call")):
        if found.get(name):
            lines.append(f"\n{len(found[name])} {told}: {'; '.join(found[name])}.")
    return "\n".join(lines) + "\n"


def _chaos(run: dict[str, Any]) -> str:
    plan, found = run["plan"], run["figures"]
    rows = {
        "datasets dropped at once": plan["datasets"],
        "calls that failed": f"{plan['share']:.0%} until all had their reports: {found['faults fired']:,}",
        "ends of processes": ", ".join(f"{times} {what}" for what, times in found["killed"].items()),
        "reports": ", ".join(f"{count} {state}" for state, count in found["reports"].items()),
        "jobs": found["jobs"],
        "the storm, and from its end to rest": " and ".join(
            f"{found['seconds'][one]:.0f} s" for one in ("storm", "to rest")
        ),
        "what the checker said": "; ".join(run["problems"]) or "nothing",
    }
    return (
        "## Real processes\n\nThe real stack with two functions hosts, calls that fail, and services that are killed (`tests/chaos/`); "
        f"`python -m tests.chaos --figures`, seed {plan['seed']}:\n\n| what | figure |\n|---|---|\n"
        + "\n".join(f"| {what} | {said} |" for what, said in rows.items())
        + "\n"
    )


def _checks() -> str:
    checker = import_module("tests.simulation.checker")  # by name: the tests are not held to strict types
    checker.table()
    rows = [
        f"| {', '.join(map(str, numbers))} | `{name}` | {told.partition(': ')[2]} |"
        for name, (numbers, told) in checker.CHECKS.items()
    ]
    return (
        "## Which check shows which invariant\n\n| invariants | check | what must be so |\n|---|---|---|\n"
        + "\n".join(rows)
        + "\n"
    )


def _planted() -> str:
    mutants = import_module("tests.simulation.mutants").MUTANTS
    return "## Planted bugs\n\nEach is caught by the checker:\n\n" + "\n".join(f"- {name}" for name in mutants) + "\n"
