"""Effective parameters: the notebook's defaults < the model's own < the user's, checked against the component's inputs.

`model_specific_defaults` holds keys that are no inputs of the pipeline (`learning_rate_min`): passing them on fails, so
only inputs of the fetched component are kept (source: AZUREML_CONTRACT section 0, no. 1).
"""

from __future__ import annotations

import ast
import math
from collections.abc import Iterable, Mapping
from typing import Any

from shared.datasets.config import nearest
from shared.errors import UserError

DEFAULTS: dict[str, Any] = {
    "num_train_epochs": 3,
    "per_device_train_batch_size": 1,
    "per_device_eval_batch_size": 1,
    "learning_rate": 5e-6,
    "lr_scheduler_type": "cosine",
    "apply_lora": "true",
    "apply_deepspeed": "true",
    "deepspeed_stage": 2,
}
OURS = frozenset(
    {
        "mlflow_model_path",
        "train_file_path",
        "validation_file_path",
        "test_file_path",
        "number_of_gpu_to_use_finetuning",
    }
)
GUARDED = frozenset(
    {
        "trust_remote_code",
        "huggingface_id",
        "pytorch_model_path",
        "finetune_config_path",
        "deepspeed",
        "evaluation_config",
        "train_mltable_path",
        "validation_mltable_path",
        "test_mltable_path",
    }
)


def model_defaults(tags: Mapping[str, str]) -> dict[str, Any]:
    """What the base model's tag `model_specific_defaults` says; it is a Python literal."""
    try:
        value = ast.literal_eval(tags.get("model_specific_defaults") or "{}")
    except (ValueError, SyntaxError):
        return {}
    return dict(value) if isinstance(value, dict) else {}


def effective(
    inputs: Mapping[str, Mapping[str, Any]],
    model: Mapping[str, Any],
    user: Mapping[str, Any],
    allowed: Iterable[str] = (),
) -> tuple[dict[str, Any], list[str]]:
    """The parameters of the job, and the model's keys that are no inputs of the component.

    `inputs` maps each input of the component to its `type`, `enum`, `min`.

    Raises:
        UserError: one of the user's is unknown, guarded or of the wrong kind; `field` names it.
    """
    for name, value in user.items():
        _check_user(name, value, inputs, frozenset(allowed))
    left_out = sorted(name for name in model if name not in inputs)
    merged = {**DEFAULTS, **model, **user}
    chosen = {name: _typed(name, value, inputs[name]) for name, value in merged.items() if name in inputs}
    return chosen, left_out


def _check_user(name: str, value: Any, inputs: Mapping[str, Mapping[str, Any]], allowed: frozenset[str]) -> None:
    field = f"parameters.{name}"
    if name not in inputs:
        known = [known for known in inputs if known not in OURS | GUARDED and not known.startswith("compute_")]
        raise UserError(f"the pipeline has no input {name!r}", nearest(name, known), field)
    if name in OURS or name.startswith(("compute_", "instance_type_")):
        raise UserError(f"{name!r} is set by droptune itself", "leave it out; `compute` names the cluster", field)
    if name in GUARDED and name not in allowed:
        fix = f"ask the operator to add it to DROPTUNE_ALLOW_INPUTS: {name}"
        raise UserError(f"{name!r} loads code or files and is not allowed here", fix, field)
    _typed(name, value, inputs[name])


def _typed(name: str, value: Any, spec: Mapping[str, Any]) -> Any:
    """A value as the component's input wants it; numbers come as strings at times (`'5e-6'`)."""
    kind, options = str(spec.get("type", "string")), spec.get("enum")
    try:
        result = _convert(value, kind)
    except (TypeError, ValueError, OverflowError) as error:
        raise UserError(f"{name} = {value!r} is no {kind}", f"write a {kind}", f"parameters.{name}") from error
    if options and str(result) not in {str(option) for option in options}:
        raise UserError(
            f"{name} = {value!r} is not allowed", "choose one of " + ", ".join(map(str, options)), f"parameters.{name}"
        )
    least = spec.get("min")
    if least is not None and kind in ("integer", "number") and result < float(least):
        raise UserError(f"{name} = {value!r} is too small", f"it must be {least} or more", f"parameters.{name}")
    return result


def _convert(value: Any, kind: str) -> Any:
    if kind == "integer":
        if isinstance(value, bool) or float(value) != int(float(value)):
            raise ValueError("no whole number")
        return int(float(value))
    if kind == "number":
        if isinstance(value, bool) or not math.isfinite(float(value)):
            raise ValueError("no number")
        return float(value)
    if kind == "string":
        return str(value).lower() if isinstance(value, bool) else str(value)
    return value
