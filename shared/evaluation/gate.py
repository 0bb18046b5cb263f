"""The gate: what `[gate]` in droptune.toml asks for, against what was measured. It says why not, in one sentence."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, NamedTuple

from shared.evaluation.summary import Comparison, Summary


class Limit(NamedTuple):
    """A key of `[gate]`: which mean it looks at, how that must stand to it, and how it is told."""

    measure: str
    holds: Callable[[float, float], bool]
    word: str


LIMITS: dict[str, Limit] = {
    "chrf_at_least": Limit("chrf", operator.ge, "below"),
    "f1_at_least": Limit("f1", operator.ge, "below"),
    "exact_at_least": Limit("exact", operator.ge, "below"),
    "judged_at_least": Limit("judged", operator.ge, "below"),
    "empty_at_most": Limit("empty", operator.le, "above"),
    "cut_at_most": Limit("cut", operator.le, "above"),
}
FIX = "train longer or with more data, or loosen [gate] in droptune.toml"


def by_loss(gate: dict[str, Any], metrics: dict[str, Any]) -> str:
    """Why a model fails by what its job logged, before anything is deployed; empty where it passes."""
    limit, loss = gate.get("eval_loss_at_most"), metrics.get("eval_loss")
    if limit is None:
        return ""
    if loss is None:
        return f"the gate asks for an eval_loss of at most {limit}, and the job logged none"
    return f"eval_loss {loss:.3f} is above the gate's {limit}" if not loss <= limit else ""


def by_answers(gate: dict[str, Any], found: Summary, beside: Comparison | None, other: str = "live") -> str:
    """Why a model fails by its answers to the test rows; empty where it passes.

    `beside` compares it with the `other` model's answers, where there was one to ask.
    """
    asked = {key: gate[key] for key in LIMITS if gate.get(key) is not None}
    if asked and not found.rows:
        return f"the gate asks for {', '.join(asked)}, and there is no test row to ask"
    for key, limit in asked.items():
        value = getattr(found, LIMITS[key].measure)
        if value is None:
            return f"the gate asks for {key}, and no judge is set (DROPTUNE_JUDGE)"
        if not LIMITS[key].holds(value, limit):
            return f"{LIMITS[key].measure} {value:g} over {found.rows} test rows is {LIMITS[key].word} the gate's {limit:g}"
    return _by_comparison(beside, other) if gate.get("better_than_live") else ""


def _by_comparison(beside: Comparison | None, other: str) -> str:
    if beside is None or not beside.rows or beside.ahead:
        return ""  # nothing answers that it could be worse than
    told = f"it is not better than the {other} model: chrF {beside.new:.1f} against {beside.other:.1f}"
    return f"{told} on the same {beside.rows} test rows"


def wants_answers(gate: dict[str, Any]) -> bool:
    """Whether a gate cannot be decided without test rows being answered."""
    return bool(gate.get("better_than_live")) or any(gate.get(key) is not None for key in LIMITS)
