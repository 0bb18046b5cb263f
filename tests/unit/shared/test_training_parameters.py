"""What a job is given: parameters, base model references, prices, the display name."""

from __future__ import annotations

from typing import Any

import pytest

from shared.errors import UserError
from shared.training import prices
from shared.training.base_model import BaseModel, split_reference
from shared.training.compute import Cluster, check_size
from shared.training.parameters import DEFAULTS, effective, model_defaults
from shared.training.pipeline import display_name

INPUTS: dict[str, dict[str, Any]] = {
    "num_train_epochs": {"type": "integer", "min": 1},
    "learning_rate": {"type": "number", "min": 0},
    "lr_scheduler_type": {"type": "string", "enum": ["cosine", "linear"]},
    "apply_lora": {"type": "string", "enum": ["true", "false"]},
    "trust_remote_code": {"type": "boolean"},
    "train_file_path": {"type": "uri_file"},
    "compute_finetune": {"type": "string"},
    "instance_type_finetune": {"type": "string"},
}


def test_the_user_wins_over_the_model_and_the_model_over_the_notebook() -> None:
    chosen, _ = effective(INPUTS, {"num_train_epochs": 7, "learning_rate": "5e-6"}, {"num_train_epochs": "9"})
    assert chosen == {
        "num_train_epochs": 9,
        "learning_rate": 5e-6,
        "lr_scheduler_type": DEFAULTS["lr_scheduler_type"],
        "apply_lora": "true",
    }


def test_a_models_key_that_is_no_input_is_left_out_and_told() -> None:
    chosen, left_out = effective(INPUTS, {"learning_rate_min": 1e-7, "learning_rate": 2e-5}, {})
    assert left_out == ["learning_rate_min"]
    assert "learning_rate_min" not in chosen
    assert chosen["learning_rate"] == 2e-5


@pytest.mark.parametrize(
    ("user", "reason", "fix"),
    [
        ({"learning_rat": 1}, "no input", "did you mean 'learning_rate'?"),
        ({"qqqq": 1}, "no input", "known are: apply_lora"),
        ({"train_file_path": "x"}, "droptune itself", "leave it out"),
        ({"compute_finetune": "x"}, "droptune itself", "leave it out"),
        ({"instance_type_finetune": "x"}, "droptune itself", "leave it out"),
        ({"trust_remote_code": True}, "not allowed", "DROPTUNE_ALLOW_INPUTS"),
        ({"num_train_epochs": 1.5}, "is no integer", "write a integer"),
        ({"num_train_epochs": True}, "is no integer", "write"),
        ({"num_train_epochs": float("inf")}, "is no integer", "write"),
        ({"num_train_epochs": "many"}, "is no integer", "write"),
        ({"num_train_epochs": [3]}, "is no integer", "write"),
        ({"num_train_epochs": 0}, "too small", "1 or more"),
        ({"learning_rate": "fast"}, "is no number", "write a number"),
        ({"learning_rate": float("nan")}, "is no number", "write a number"),
        ({"learning_rate": float("inf")}, "is no number", "write a number"),
        ({"learning_rate": -1}, "too small", "0 or more"),
        ({"lr_scheduler_type": "spiral"}, "not allowed", "cosine, linear"),
    ],
)
def test_a_users_wrong_parameter_is_refused_by_its_name(user: dict[str, Any], reason: str, fix: str) -> None:
    with pytest.raises(UserError) as caught:
        effective(INPUTS, {}, user)
    assert reason in caught.value.reason
    assert fix in caught.value.fix
    assert caught.value.field == f"parameters.{next(iter(user))}"


def test_the_operator_may_allow_a_guarded_input() -> None:
    assert effective(INPUTS, {}, {"trust_remote_code": True}, ["trust_remote_code"])[0]["trust_remote_code"] is True


def test_true_becomes_the_text_that_the_pipeline_wants() -> None:
    assert effective(INPUTS, {}, {"apply_lora": False})[0]["apply_lora"] == "false"


@pytest.mark.parametrize(
    ("tag", "told"),
    [("{'learning_rate': '5e-6'}", {"learning_rate": "5e-6"}), ("", {}), ("[1]", {}), ("{bad", {}), ("f()", {})],
)
def test_a_models_own_defaults_are_a_python_literal(tag: str, told: dict[str, Any]) -> None:
    assert model_defaults({"model_specific_defaults": tag}) == told


@pytest.mark.parametrize(
    ("reference", "told"),
    [
        ("Phi-4", ("Phi-4", None)),
        ("Phi-4:8", ("Phi-4", "8")),
        ("Phi-4:", ("Phi-4", None)),
        ("azureml://registries/azureml/models/Phi-4/versions/8", ("Phi-4", "8")),
        ("azureml://registries/azureml/models/Phi-4/labels/latest", ("Phi-4", None)),
    ],
)
def test_a_base_model_is_a_name_a_version_or_an_id(reference: str, told: tuple[str, str | None]) -> None:
    assert split_reference(reference) == told


@pytest.mark.parametrize("tag", ["['Standard_A', 'Standard_B']", "Standard_A, Standard_B"])
def test_a_size_must_be_on_the_models_list(tag: str) -> None:
    model = BaseModel("id", "Phi", "1", {"finetune_compute_allow_list": tag}, {})
    check_size("c", "STANDARD_A", model)
    with pytest.raises(UserError, match="cannot be tuned on Standard_C"):
        check_size("c", "Standard_C", model)


def test_without_a_list_only_sizes_known_to_be_too_small_are_refused() -> None:
    model = BaseModel("id", "Phi", "1", {}, {})
    check_size("c", "Standard_C", model)
    with pytest.raises(UserError, match="not supported"):
        check_size("c", "Standard_NC6", model)


def test_costs_grow_with_time_and_instances() -> None:
    size = "Standard_NC24ads_A100_v4"
    assert prices.hourly(size.upper()) == 3.673
    assert prices.cost(size, 3600) == pytest.approx(3.673)
    assert prices.cost(size, 1800, 2) == pytest.approx(3.673)
    assert prices.cost("Standard_Unknown", 3600) == 0
    assert prices.hourly("Standard_Unknown") is None


def test_the_display_name_is_the_notebooks() -> None:
    cluster = Cluster("gpu", "Standard_X", 2, 4)
    parameters = {
        "per_device_train_batch_size": 2,
        "lr_scheduler_type": "cosine",
        "apply_deepspeed": "true",
        "deepspeed_stage": 3,
        "apply_lora": "true",
        "num_nodes_finetune": 2,
    }
    assert display_name("Phi-4", "acme", parameters, cluster) == (
        "Phi-4-acme-bs16-cosine-ds3-lora-save_limit-1-seqlen-1"
    )
    assert display_name("m", "d", {}, cluster) == "m-d-bs4-linear-nods-nolora-save_limit-1-seqlen-1"
