"""Search spaces, samples and early termination of sweeps, as Azure's documentation tells them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import pytest

from azureml_box.errors import BadRequest
from azureml_box.jobs.sweeps import definition, policies, spaces


@pytest.mark.parametrize(
    ("sent", "fits"),
    [
        (["choice", [["a", 1, True]]], lambda value: value in ("a", 1, True)),
        (["randint", [3]], lambda value: value in (0, 1, 2)),
        (["uniform", [2, 4]], lambda value: 2 <= value <= 4),
        (["quniform", [1, 10, 2]], lambda value: value % 2 == 0 and 0 <= value <= 10),
        (["loguniform", [-6, -1]], lambda value: math.exp(-6) <= value <= math.exp(-1)),
        (["qloguniform", [0, 3, 5]], lambda value: value % 5 == 0 and value <= 25),
        (["lognormal", [0, 1]], lambda value: value > 0),
        (["qnormal", [0, 10, 3]], lambda value: value % 3 == 0),
        (["normal", [0, 1]], lambda value: abs(value) < 10),
        ({"type": "uniform", "min_value": "2", "max_value": 4}, lambda value: 2 <= value <= 4),
        (
            {"type": "choice", "values": [{"deep": {"type": "randint", "upper": 2}}]},
            lambda value: value["deep"] in (0, 1),
        ),
    ],
)
def test_samples_are_of_their_distribution(sent: Any, fits: Callable[[Any], bool]) -> None:
    drawn = itertools.islice(spaces.samples({"x": spaces.read("x", sent)}, "random", 7), 200)
    values = [sample["x"] for sample in drawn]
    assert values and all(map(fits, values))


def test_a_seed_draws_the_same_again_and_nothing_twice() -> None:
    space = {"a": spaces.read("a", ["choice", [[1, 2, 3]]]), "b": spaces.read("b", ["randint", [4]])}
    first, again = (list(spaces.samples(space, "random", 5)) for _ in range(2))
    assert first == again and len(first) == spaces.size(space) == 12
    assert len({tuple(sample.values()) for sample in first}) == 12


def test_a_grid_is_every_combination_in_order() -> None:
    space = {"a": spaces.read("a", ["choice", [[1, 2]]]), "b": spaces.read("b", ["choice", [["x", "y"]]])}
    assert [tuple(sample.values()) for sample in spaces.samples(space, "grid", 0)] == [
        *((1, "x"), (1, "y"), (2, "x"), (2, "y"))
    ]
    with pytest.raises(BadRequest, match="choice only"):
        spaces.samples({"a": spaces.read("a", ["uniform", [0, 1]])}, "grid", 0)


@pytest.mark.parametrize(
    "sent",
    [
        *(
            1,
            ["choice", []],
            ["choice", [[]]],
            ["uniform", [1]],
            ["uniform", ["a", 2]],
            ["randint", [0]],
            ["what", [1]],
        ),
        *(["quniform", [0, 1, 0]], {"type": "uniform", "min_value": 1}),
    ],
)
def test_what_is_no_distribution_is_refused(sent: Any) -> None:
    with pytest.raises(BadRequest):
        spaces.read("x", sent)


def stopped(policy: dict[str, Any], goal: str, **history: list[float]) -> set[str]:
    """Who is stopped at the interval that he has reached."""
    read = policies.read(policy)
    assert read is not None
    return {name for name, values in history.items() if read.stops(name, history, len(values), goal)}


def test_bandit_stops_what_is_further_from_the_best_than_the_slack() -> None:
    # The documentation's own example: 0.8 is best at interval 10, a slack factor of 0.2 ends what is below 0.66.
    policy = {"policy_type": "Bandit", "slack_factor": 0.2, "evaluation_interval": 1}
    assert stopped(policy, "maximize", best=[0.8], near=[0.67], far=[0.65]) == {"far"}
    assert stopped(policy, "minimize", best=[1.0], near=[1.19], far=[1.21]) == {"far"}
    amount = {"type": "bandit", "slack_amount": 0.1}
    assert stopped(amount, "minimize", best=[0.5], near=[0.59], far=[0.61]) == {"far"}
    assert stopped(amount, "maximize", a=[0.9, 0.1], b=[0.2, 0.85]) == set(), "its best so far counts"


def test_a_policy_waits_for_its_delay_and_looks_at_every_interval() -> None:
    policy = {"policy_type": "Bandit", "slack_amount": 0.1, "evaluation_interval": 2, "delay_evaluation": 4}
    for length, ends in ((1, False), (2, False), (3, False), (4, True), (5, False), (6, True)):
        assert stopped(policy, "maximize", good=[1.0] * length, bad=[0.0] * length) == ({"bad"} if ends else set())


def test_median_stopping_compares_with_the_running_averages() -> None:
    policy = {"policy_type": "MedianStopping"}
    assert stopped(policy, "maximize", a=[1, 3], b=[0, 0], c=[2, 2]) == {"b"}
    assert stopped(policy, "minimize", a=[1, 3], b=[9, 9], c=[2, 2]) == {"b"}


def test_truncation_stops_so_many_per_cent() -> None:
    policy = {"type": "truncation_selection", "truncation_percentage": 40}
    assert stopped(policy, "maximize", a=[1], b=[2], c=[3], d=[4], e=[5]) == {"a", "b"}
    assert stopped(policy, "maximize", a=[1], b=[2]) == set()


def test_both_spellings_of_a_sweep_are_the_same() -> None:
    arm = {
        "searchSpace": {"lr": ["uniform", [0.1, 0.9]]},
        "samplingAlgorithm": {"samplingAlgorithmType": "Random", "seed": 3},
        "objective": {"goal": "Maximize", "primaryMetric": "acc"},
        "limits": {"maxTotalTrials": 4, "maxConcurrentTrials": 2, "timeout": "PT5M", "trialTimeout": "PT10S"},
        "earlyTermination": {"policyType": "MedianStopping", "delayEvaluation": 1},
    }
    python = {
        "search_space": {"lr": {"type": "uniform", "min_value": 0.1, "max_value": 0.9}},
        "sampling_algorithm": {"type": "random", "seed": 3},
        "objective": {"goal": "maximize", "primary_metric": "acc"},
        "limits": {"max_total_trials": 4, "max_concurrent_trials": 2, "timeout": 300, "trial_timeout": 10},
        "early_termination": {"policy_type": "MedianStopping", "delay_evaluation": 1},
    }
    assert definition.read(arm) == definition.read(python)


@pytest.mark.parametrize(
    "change",
    [
        {"objective": {"goal": "maximize"}},
        {"objective": {"goal": "up", "primaryMetric": "x"}},
        {"searchSpace": {}},
        {"samplingAlgorithm": "best"},
        {"limits": {"maxTotalTrials": 0}},
        {"limits": {"maxConcurrentTrials": 1001}},
        {"earlyTermination": {"policyType": "Never"}},
        {"samplingAlgorithm": {"samplingAlgorithmType": "Grid"}},
    ],
)
def test_a_sweep_that_does_not_fit_is_refused(change: dict[str, Any]) -> None:
    good = {"searchSpace": {"lr": ["uniform", [0.1, 0.9]]}, "objective": {"goal": "maximize", "primaryMetric": "acc"}}
    with pytest.raises(BadRequest):
        definition.read({**good, **change})
