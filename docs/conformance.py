"""docs/conformance.md: how many of the SDK's own end-to-end tests pass against the box, and why the others don't."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parents[1] / "tests" / "conformance" / "results.json"
_INTRO = """# The SDK's own tests against the box

`make conformance` runs the end-to-end tests of {sdk}, from its source distribution and otherwise untouched, live against a box
that it starts: no recordings, no stand-ins; a pass without one answer from the box does not count, and a request to any other
host is refused. `make test` runs the *core*, what our own flow needs ({seconds} s). What the tests need and the distribution does
not ship (configuration files) stands in `tests/conformance/fixtures/`; what the SDK team's workspace has (clusters, a curated
environment, a second registry) is made before the run.

**Core: {core} of {all_core} pass; others that can run: {wide} of {all_wide}.** Those that fail although the box should answer
otherwise are *open*; those that no emulator could pass, for a reason in Azure's own terms, are *explained*.

"""


def page() -> str:
    """Return docs/conformance.md, from the results of the last run that was kept."""
    kept: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8"))
    parts = [_intro(kept), _areas(kept), _listed("Open", kept, "failed"), _listed("Explained", kept, "known")]
    return "\n".join([*parts, _not_run(kept)])


def _intro(kept: dict[str, Any]) -> str:
    groups = Counter((entry["group"] == "core", entry["verdict"] == "passed") for entry in kept["tests"].values())
    return _INTRO.format(
        sdk=kept["sdk"],
        seconds=kept.get("core_seconds", "?"),
        core=groups[True, True],
        all_core=groups[True, True] + groups[True, False],
        wide=groups[False, True],
        all_wide=groups[False, True] + groups[False, False],
    )


def _areas(kept: dict[str, Any]) -> str:
    run: dict[str, Counter[str]] = {area: Counter() for area in kept["areas"]}
    for test, entry in kept["tests"].items():
        run[test.split("/")[1]][entry["verdict"]] += 1
    rows = [
        _area(area, run[area], kept["areas"][area]) for area in sorted(run, key=lambda area: (-run[area].total(), area))
    ]
    total, everything = sum(run.values(), Counter[str]()), sum(sum(found.values()) for found in kept["areas"].values())
    counts = f"{everything} | {total.total()} | {total['passed']} | {total['failed']} | {total['known']}"
    head = "| area | tests | run | passed | open | explained | not run because |\n|---|---:|---:|---:|---:|---:|---|\n"
    return head + "\n".join(rows) + f"\n| **all** | {counts} | |\n"


def _area(area: str, run: Counter[str], found: dict[str, int]) -> str:
    others = "; ".join(f"{count} {why}" for why, count in found.items() if why)
    counts = f"{sum(found.values())} | {run.total()} | {run['passed']} | {run['failed']} | {run['known']}"
    return f"| {area} | {counts} | {others} |"


def _listed(title: str, kept: dict[str, Any], verdict: str) -> str:
    rows = [
        f"| `{test.rsplit('::', 1)[-1]}` | {test.split('/')[1]} | {_cell(entry['why'])} |"
        for test, entry in kept["tests"].items()
        if entry["verdict"] == verdict
    ]
    table = "\n".join(["| test | area | why |", "|---|---|---|", *rows]) if rows else "None."
    return f"## {title}\n\n{table}\n"


def _not_run(kept: dict[str, Any]) -> str:
    reasons: Counter[str] = sum((Counter(found) for found in kept["areas"].values()), Counter[str]())
    rows = [f"| {why} | {count} |" for why, count in reasons.most_common() if why]
    return "## Not run\n\n| why | tests |\n|---|---:|\n" + "\n".join(rows) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
