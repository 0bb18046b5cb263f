"""What the last `make simulate` gave, kept as JSON beside the documentation that tells it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.simulation.faults import FAULTS, PLATFORM, PLATFORM_POINTS, applies
from tests.simulation.many import Figures
from tests.simulation.mutants import MUTANTS
from tests.simulation.points import ALL
from tests.simulation.sweep import Ends

PLACE = Path(__file__).resolve().parents[2] / "docs" / "reliability.json"
LEAST = 100  # faults at each point in 10,000 schedules


def write(many: Figures, ends: Ends) -> None:
    """Keeps the figures."""
    fired: dict[str, int] = {}
    for (point, _), times in many.fired.items():
        fired[point] = fired.get(point, 0) + times
    document: dict[str, Any] = {
        "schedules": many.schedules,
        "steps": many.steps,
        "calls": many.calls,
        "seconds": round(many.seconds),
        "violations": len(many.failed),
        "fired": dict(sorted(fired.items())),
        "kinds": len(many.fired),
        "rare": rare(fired, many.schedules),
        "never": [f"{point}: {fault}" for point, fault in wanted() if not many.fired.get((point, fault))],
        "sweep_cases": ends.cases,
        "sweep_calls": ends.calls,
        "sweep_violations": len(ends.failed),
        "sweep_others": ends.others,
        "mutants": len(MUTANTS),
    }
    PLACE.write_text(json.dumps(document, indent=1) + "\n")


def rare(fired: dict[str, int], schedules: int) -> list[str]:
    """The points at which faults fired less often than they should in so many schedules."""
    least = LEAST * schedules / 10_000
    return [f"{point} ({fired.get(point, 0)})" for point in ALL if fired.get(point, 0) < least]


def wanted() -> list[tuple[str, str]]:
    """Every fault at every point where it can befall."""
    return [
        (point, fault)
        for point in ALL
        for fault in (PLATFORM if point in PLATFORM_POINTS else FAULTS)
        if applies(point, fault)
    ]
