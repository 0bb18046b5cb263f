"""What a run's evaluation says: in figures for whoever may read runs, with the worst answers for its report."""

from __future__ import annotations

from typing import Any

import msgspec

from shared.evaluation.course import course
from shared.evaluation.scores import Score
from shared.evaluation.summary import Comparison, Summary, compare, summary
from shared.runs.records import Run


def results(evaluation: dict[str, Any]) -> tuple[Summary, Comparison | None]:
    """The summary of the new model's answers, and the comparison with the other's; None where nothing stood beside it."""
    new, other = _sides(evaluation)
    return summary(new), compare(new, other) if evaluation.get("beside") else None


def figures(run: Run) -> dict[str, Any]:
    """Means and the comparison, without any text; empty where nothing was evaluated."""
    found: dict[str, Any] = {}
    if (told := _course(run)) is not None:
        found["course"] = told
    if not run.evaluation.get("new"):
        return found
    new, other = _sides(run.evaluation)
    found |= {"rows": run.evaluation.get("rows", 0), "new": msgspec.to_builtins(summary(new))}
    if beside := run.evaluation.get("beside"):
        found |= {
            "beside": f"{beside['what']}: {beside['endpoint']}/{beside['deployment']}",
            "other": msgspec.to_builtins(summary(other)),
            "comparison": msgspec.to_builtins(compare(new, other)),
        }
    return found


def document(run: Run) -> dict[str, Any] | None:
    """The figures and the worst answers, for the report beside the file; None where there is neither."""
    found = figures(run)
    return {**found, "worst": run.evaluation.get("worst", [])} if found else None


def _sides(evaluation: dict[str, Any]) -> tuple[list[Score], list[Score]]:
    new, other = (msgspec.convert(evaluation.get(side, []), list[Score]) for side in ("new", "other"))
    return new, other


def _course(run: Run) -> str | None:
    found = course((run.metrics.get("curves") or {}).get("eval_loss") or [])
    return found.told() if found else None
