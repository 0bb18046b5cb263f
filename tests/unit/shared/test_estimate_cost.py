"""What a training is expected to cost and how long it takes, before anything is spent."""

from __future__ import annotations

from typing import Any

import pytest

from shared.errors import UserError
from shared.lifecycle.steps import submit
from shared.runs.records import Run
from shared.training import hardware
from shared.training.base_model import BaseModel
from shared.training.compute import Cluster
from shared.training.estimate import estimate

A100 = "Standard_NC24ads_A100_v4"


def told(tokens: float = 1e6, **changes: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "answers": tokens * 0.6,
        "epochs": 3,
        "size": A100,
        "nodes": 1,
        "gpus": 1,
        "model_name": "Phi-3-mini-4k-instruct",
    }
    return estimate(tokens, **{**given, **changes})


@pytest.mark.parametrize(
    "changes", [{}, {"size": "Standard_X"}, {"model_name": "m"}, {"gpus": 0, "size": "Standard_DS3_v2"}]
)
def test_the_middle_lies_between_low_and_high(changes: dict[str, Any]) -> None:
    found = told(**changes)
    for what in ("usd", "hours"):
        assert 0 < found[f"{what}_low"] < found[what] < found[f"{what}_high"]


def test_a_small_dataset_costs_its_start_and_a_large_one_its_tokens() -> None:
    assert told(0)["usd"] == pytest.approx(3.673 * 0.316, rel=0.01)
    assert told(200e6)["usd"] == pytest.approx(2 * told(100e6)["usd"], rel=0.05)
    assert told(1e8, epochs=1)["tokens"] == 1e8 and told(1e8, epochs=3)["tokens"] == 3e8


def test_the_speed_is_that_of_published_runs() -> None:
    """Torchtune trains 3.2B parameters in full at 2,091 to 9,174 tokens a second on an A100."""
    found = told(1e9, epochs=1, model_name="Llama-3.2-3.2b", lora=False)
    seconds = (found["hours_low"] * 3600, found["hours_high"] * 3600)
    assert 1e9 / seconds[1] < 2091 and 1e9 / seconds[0] > 7210


def test_more_gpus_and_nodes_are_faster_but_not_cheaper() -> None:
    one = told(1e9)
    four = told(1e9, size="Standard_NC96ads_A100_v4", gpus=4)
    two_nodes = told(1e9, nodes=2)
    assert one["hours"] / 4 < four["hours"] < one["hours"] / 2
    assert two_nodes["hours"] < one["hours"] and two_nodes["usd"] > one["usd"]


def test_training_all_parameters_or_with_32_bits_takes_longer() -> None:
    lora = told(1e8)["hours"]
    assert told(1e8, lora=False)["hours"] > lora and told(1e8, precision=32)["hours"] > 2 * lora


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"model_name": "mine"}, "its name does not tell"),
        ({"size": "Standard_X"}, "not known here: assumed between a T4 and an H100"),
        ({"size": "Standard_X"}, "the price of Standard_X is not known"),
        ({"size": "Standard_DS3_v2", "gpus": 0}, "no GPU that is known here"),
    ],
)
def test_what_is_not_known_is_said_and_widens_the_range(changes: dict[str, Any], sentence: str) -> None:
    found, known = told(1e8, **changes), told(1e8)
    assert any(sentence in line for line in found["basis"])
    assert found["usd_high"] / found["usd_low"] > known["usd_high"] / known["usd_low"]


def test_the_box_trains_on_its_cpu_and_says_so() -> None:
    """The README's run: 6,500 tokens, 96 seconds, 0.0985 USD."""
    found = told(6500, epochs=2, box_weights="SmolLM2-135M-Instruct")
    assert found["usd_low"] < 0.0985 < found["usd_high"]
    assert any("this machine's CPU" in line for line in found["basis"])
    assert told(6500, box_weights="random")["hours"] < found["hours"]


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("Phi-3-mini-4k-instruct", 3.8e9),
        ("Phi-4", 14e9),
        ("Phi-4-mini-instruct", 3.8e9),
        ("SmolLM2-135M-Instruct", 135e6),
        ("mistralai-Mistral-7B-Instruct-v0-3", 7e9),
        ("Llama-2-13b-chat", 13e9),
        ("Phi-3-mini-128k-instruct", 3.8e9),
    ],
)
def test_parameters_are_told_by_the_name(name: str, count: float) -> None:
    assert hardware.parameters(name) == (count, count)


@pytest.mark.parametrize(
    ("size", "name"),
    [
        (A100, "A100"),
        ("Standard_ND96asr_v4", "A100"),
        ("Standard_ND96isr_H100_v5", "H100"),
        ("Standard_ND40rs_v2", "V100"),
        ("Standard_NC4as_T4_v3", "T4"),
        ("Standard_NC24s_v3", "V100"),
        ("Standard_D4s_v3", None),
    ],
)
def test_gpus_are_told_by_the_size(size: str, name: str | None) -> None:
    found = hardware.gpu(size)
    assert (found[0] if found else None) == name


def test_a_run_whose_middle_estimate_is_above_the_budget_is_refused() -> None:
    model = BaseModel("id", "Phi-3-mini-4k-instruct", "15", {}, {})
    cluster = Cluster("gpu", A100, 1, 1)
    run = Run(id="r", name="n", state="validated", created="", next_look="")
    run.dataset, run.parameters = (
        {"tokens_estimate": 10_000_000},
        {"num_train_epochs": 3, "apply_lora": "true", "precision": "16"},
    )
    usd = told(10e6)["usd"]
    run.config = {"budget": {"max_cost_usd": usd + 0.01}}
    submit._within_budget(run, model, cluster)
    assert run.cost["estimate_usd"] == round(usd, 2) and run.cost["estimate"]["usd_high"] > usd
    run.config = {"budget": {"max_cost_usd": usd - 0.01}}
    with pytest.raises(UserError, match=f"estimated at {usd:.2f} USD, above the budget of {usd - 0.01:.2f}"):
        submit._within_budget(run, model, cluster)
