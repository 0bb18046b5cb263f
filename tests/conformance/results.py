"""What a run showed: one verdict a case, a table for the terminal, and the file that docs/conformance.md is made from."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from tests.conformance import cases, sdk

KEPT = Path(__file__).resolve().parent / "results.json"
_RACED = "ResourceExistsError: The specified blob already exists."
_NO_FILE = re.compile(r"No such file or directory: \S*tests/test_configs/")


def read(path: Path, asked: list[str]) -> list[dict[str, Any]]:
    """The last word on each case; one that was asked for and left no trace has failed."""
    rows: dict[str, dict[str, Any]] = {}
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    for row in map(json.loads, lines):
        if row["test"] not in rows or row["outcome"] == "failed":
            rows[row["test"]] = row
    for case in asked:
        lost = {"test": case, "outcome": "failed", "answered": 0, "seconds": 0.0, "reason": "it left no result"}
        rows.setdefault(case, lost)
    return [{**row, "verdict": verdict(row)} for _, row in sorted(rows.items())]


def verdict(row: dict[str, Any]) -> str:
    """`passed`, `failed`, `known`, `skipped`, or `vacuous` for a pass to which the box contributed nothing."""
    if row["outcome"] == "passed" and row["answered"]:
        return "passed"
    if row["outcome"] in ("passed", "failed") and row["test"] in cases.known():
        return "known"
    if row["outcome"] == "passed":
        return "vacuous"
    if row["outcome"] == "failed" and _NO_FILE.search(row["reason"]):
        return "skipped"  # a file that the sdist doesn't ship and fixtures/ doesn't replace: not the box's fault
    return str(row["outcome"])


def raced(rows: list[dict[str, Any]]) -> list[str]:
    """Cases whose upload met another's of an equal file."""
    return [row["test"] for row in rows if row["verdict"] == "failed" and reason(row) == _RACED]


def tell(rows: list[dict[str, Any]], seconds: float) -> int:
    """Print what did not pass and the counts; 0 where nothing failed."""
    areas: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        areas[area(row["test"])][row["verdict"]] += 1
        if row["verdict"] in ("failed", "vacuous", "known"):
            print(f"{row['verdict'].upper():8} {row['test']}\n         {reason(row)}")
    kinds = ("passed", "failed", "known", "skipped", "vacuous")
    print(f"\n{'area':24}" + "".join(f"{kind:>9}" for kind in kinds))
    for name, counts in sorted(areas.items()):
        print(f"{name:24}" + "".join(f"{counts[kind]:9}" for kind in kinds))
    total = sum(areas.values(), Counter())
    print("\n" + ", ".join(f"{total[kind]} {kind}" for kind in kinds) + f", in {seconds:.0f} s")
    return 0 if total["passed"] and not total["failed"] and not total["vacuous"] else 1


def keep(rows: list[dict[str, Any]], seconds: float) -> None:
    """Lay the rows over those that are kept, so that a part may be run anew."""
    old = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else {"tests": {}}
    groups = cases.group_of()
    new = {row["test"]: {"group": groups.get(row["test"], ""), "verdict": row["verdict"], **_why(row)} for row in rows}
    tests = {name: entry for name, entry in sorted({**old["tests"], **new}.items()) if name in groups}
    document = {**old, "sdk": f"azure-ai-ml {sdk.VERSION}", "tests": tests}
    if set(new) == set(cases.read("core")):
        document["core_seconds"] = round(seconds)
    KEPT.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def area(test: str) -> str:
    """The folder of the SDK's tests."""
    return test.split("/")[1]


def _why(row: dict[str, Any]) -> dict[str, str]:
    return {} if row["verdict"] == "passed" else {"why": reason(row)}


def reason(row: dict[str, Any]) -> str:
    """Why a case did not pass, in one line."""
    if known := cases.known().get(row["test"]):
        return known
    return str(row["reason"]).splitlines()[0][:200] if row["reason"] else "passed without one answer from the box"
