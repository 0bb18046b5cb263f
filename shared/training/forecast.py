"""The estimate of one run: its dataset's tokens and its parameters, on a machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.training.estimate import estimate
from shared.training.hardware import gpus_of


def forecast(
    dataset: Mapping[str, Any],
    parameters: Mapping[str, Any],
    model: str,
    size: str,
    gpus: int | None = None,
    box_weights: str | None = None,
) -> dict[str, Any]:
    """What a training will cost and take; `dataset` is that of a run's record, `size` an Azure size.

    `gpus` of a node are told by the size's name where they are not given.
    """
    return estimate(
        tokens=dataset["tokens_estimate"],
        answers=dataset.get("answer_tokens_estimate", 0),
        epochs=float(parameters.get("num_train_epochs", 1)),
        size=size,
        nodes=int(parameters.get("num_nodes_finetune", 1)),
        gpus=gpus_of(size) if gpus is None else gpus,
        model_name=model,
        lora=str(parameters.get("apply_lora", "false")) == "true",
        precision=int(parameters.get("precision", 32)),
        box_weights=box_weights,
    )


def trained_tokens(profile: Mapping[str, Any], counts: Mapping[str, int]) -> dict[str, int]:
    """The tokens of the rows that train, of all that were counted: `tokens_estimate` and `answer_tokens_estimate`."""
    rows = profile["rows"]
    share = min(1.0, counts["train"] / rows) if rows else 0.0
    tokens = profile["tokens"]
    return {
        "tokens_estimate": round(tokens["total"] * share),
        "answer_tokens_estimate": round(tokens["answers"] * share),
    }
