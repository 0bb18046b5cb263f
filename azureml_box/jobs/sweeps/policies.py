"""Early termination: whether a trial is stopped by what it and the others have logged so far.

Source: learn.microsoft.com/azure/machine-learning/how-to-tune-hyperparameters ("early termination"). Each time that a trial
logs the primary metric is one interval; a policy looks at every multiple of `evaluation_interval` from `delay_evaluation` on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Any

from azureml_box.errors import BadRequest

History = Mapping[str, Sequence[float]]


@dataclass(frozen=True)
class Policy:
    """What a policy says, by its kind: `bandit`, `medianstopping` or `truncationselection`."""

    kind: str
    interval: int = 1
    delay: int = 0
    slack_factor: float = 0.0
    slack_amount: float = 0.0
    percentage: int = 0

    def stops(self, trial: str, history: History, now: int, goal: str) -> bool:
        """Whether it ends this trial at its interval number `now`, which counts from 1."""
        if now % self.interval or now < self.delay:
            return False
        sign = 1.0 if goal == "maximize" else -1.0  # the larger the better, from here on
        there = {
            name: [sign * value for value in values[:now]] for name, values in history.items() if len(values) >= now
        }
        return _RULES[self.kind](self, trial, there)


def read(sent: Mapping[str, Any]) -> Policy | None:
    """A policy with Python's spelling, as pipelines and the wire have it.

    Raises:
        BadRequest: there is no such policy, or a number is none.
    """
    kind = str(sent.get("policy_type") or sent.get("type") or "").replace("_", "").lower()
    if not kind:
        return None
    if kind not in _RULES:
        raise BadRequest(f"There is no early termination policy {kind!r}; known are {', '.join(_RULES)}.")
    try:
        return Policy(
            kind,
            max(int(sent.get("evaluation_interval") or 1), 1),
            int(sent.get("delay_evaluation") or 0),
            float(sent.get("slack_factor") or 0),
            float(sent.get("slack_amount") or 0),
            int(sent.get("truncation_percentage") or 0),
        )
    except (TypeError, ValueError) as error:
        raise BadRequest(f"earlyTermination: {error}.", target="earlyTermination") from None


def _bandit(policy: Policy, trial: str, there: Mapping[str, list[float]]) -> bool:
    """Its best so far is further from the best of all than the slack."""
    own, best, ratio = max(there[trial]), max(map(max, there.values())), 1 + policy.slack_factor
    if policy.slack_factor:
        return own < (best / ratio if best > 0 else best * ratio)
    return own < best - policy.slack_amount


def _median(policy: Policy, trial: str, there: Mapping[str, list[float]]) -> bool:
    """Its best so far is worse than the median of the averages."""
    return max(there[trial]) < median(map(fmean, there.values()))


def _truncation(policy: Policy, trial: str, there: Mapping[str, list[float]]) -> bool:
    """It is among the lowest so many per cent."""
    ranked = sorted(there, key=lambda name: there[name][-1])
    return trial in ranked[: len(ranked) * policy.percentage // 100]


_RULES: dict[str, Callable[[Policy, str, Mapping[str, list[float]]], bool]] = {
    "bandit": _bandit,
    "medianstopping": _median,
    "truncationselection": _truncation,
}
