"""What a sweep asks for, from a job's properties or a node of a pipeline.

Source: `SweepJob` and `SweepJobLimits` of the ARM reference; defaults of reference-yaml-job-sweep (1000 trials, all at once).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from azureml_box.errors import BadRequest
from azureml_box.jobs.durations import seconds
from azureml_box.jobs.sweeps import policies, spaces
from azureml_box.jobs.sweeps.policies import Policy
from azureml_box.jobs.sweeps.spaces import Distribution
from azureml_box.strictness import note

if TYPE_CHECKING:
    from azureml_box.context import Box

_ALGORITHMS = ("random", "grid", "bayesian")
_MOST = 1000


@dataclass(frozen=True)
class Sweep:
    """`most` trials in all, `at_once` of them together; time-outs in seconds; `seed` where the author gave one."""

    space: dict[str, Distribution]
    algorithm: str
    goal: str
    metric: str
    most: int = _MOST
    at_once: int = _MOST
    seed: int | None = None
    timeout: float | None = None
    trial_timeout: float | None = None
    policy: Policy | None = None


def read(sent: Mapping[str, Any]) -> Sweep:
    """A sweep; names may have ARM's spelling or Python's.

    Raises:
        BadRequest: something in it does not fit.
    """
    given = {_snake(name): value for name, value in sent.items()}
    sampling = given.get("sampling_algorithm") or "random"
    sampling = {"type": sampling} if isinstance(sampling, str) else _object(sampling, "samplingAlgorithm")
    algorithm = str(sampling.get("sampling_algorithm_type") or sampling.get("type") or "random").lower()
    if algorithm not in _ALGORITHMS:
        raise BadRequest(f"There is no sampling algorithm {algorithm!r}; known are {', '.join(_ALGORITHMS)}.")
    objective, limits = _object(given.get("objective"), "objective"), _object(given.get("limits"), "limits")
    goal, metric = str(objective.get("goal") or "").lower(), str(objective.get("primary_metric") or "")
    if goal not in ("minimize", "maximize") or not metric:
        raise BadRequest(
            "A sweep needs an objective: a goal, minimize or maximize, and a primaryMetric.", target="objective"
        )
    space = given.get("search_space")
    if not isinstance(space, dict) or not space:
        raise BadRequest("A sweep needs a searchSpace.", target="searchSpace")
    found = {name: spaces.read(name, value) for name, value in space.items()}
    spaces.samples(found, algorithm, 0)  # says so now where they don't go together
    most = _count(limits, "max_total_trials", _MOST)
    return Sweep(
        found,
        algorithm,
        goal,
        metric,
        most,
        _count(limits, "max_concurrent_trials", most),
        int(sampling["seed"]) if sampling.get("seed") is not None else None,
        _limit(limits, "timeout"),
        _limit(limits, "trial_timeout"),
        policies.read(_object(given.get("early_termination"), "earlyTermination")),
    )


def count_what_is_not_done(box: Box, sent: Mapping[str, Any]) -> None:
    """Counts what a sweep asks for and does not get."""
    sampling = sent.get("samplingAlgorithm") or sent.get("sampling_algorithm") or {}
    text = str(sampling).lower()
    if "bayesian" in text:
        note(box, "bayesian sampling of sweeps (it is random here)")
    if "sobol" in text:
        note(box, "sobol sampling of sweeps (it is random here)")


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def _object(sent: Any, place: str) -> dict[str, Any]:
    if sent is not None and not isinstance(sent, Mapping):
        raise BadRequest(f"{place} must be an object.", target=place)
    return {_snake(name): value for name, value in (sent or {}).items()}


def _count(limits: Mapping[str, Any], name: str, usual: int) -> int:
    value = limits.get(name)
    if value is None:
        return usual
    if not str(value).isdigit() or not 1 <= int(value) <= _MOST:
        raise BadRequest(f"limits.{name} must be a number from 1 to {_MOST}, not {value!r}.", target=f"limits.{name}")
    return int(value)


def _limit(limits: Mapping[str, Any], name: str) -> float | None:
    return seconds(limits[name]) if limits.get(name) else None
