"""The training inputs of the pipeline: what they mean here, what is refused, what has no effect in the box.

Refusals follow the real component (AZUREML_CONTRACT.md section 1, "What finetune itself refuses or changes").
"""

from __future__ import annotations

from argparse import Namespace
from dataclasses import dataclass, fields
from typing import Any

from .errors import StepError
from .schedule import SHAPES


@dataclass(frozen=True)
class Settings:
    """Hyper-parameters under the component's names, with its defaults."""

    apply_lora: bool = False
    merge_lora_weights: bool = True
    lora_alpha: int = 128
    lora_r: int = 8
    lora_dropout: float = 0.0
    num_train_epochs: int = 1
    max_steps: int = -1
    per_device_train_batch_size: int = 1
    per_device_eval_batch_size: int = 1
    optim: str = "adamw_torch"
    learning_rate: float = 2e-5
    warmup_steps: int = 0
    weight_decay: float = 0.0
    adam_beta1: float = 0.9
    adam_beta2: float = 0.999
    adam_epsilon: float = 1e-8
    gradient_accumulation_steps: int = 1
    lr_scheduler_type: str = "linear"
    precision: str = "32"
    seed: int = 42
    enable_full_determinism: bool = False
    max_grad_norm: float = 1.0
    evaluation_strategy: str = "epoch"
    evaluation_steps_interval: float = 0.0
    eval_steps: int = 500
    logging_strategy: str = "steps"
    logging_steps: int = 10
    metric_for_best_model: str = "loss"
    apply_early_stopping: bool = False
    early_stopping_patience: int = 1
    early_stopping_threshold: float = 0.0
    auto_find_batch_size: bool = False
    apply_deepspeed: bool = False


CHOICES = {
    "optim": ("adamw_torch", "adafactor"),
    "lr_scheduler_type": tuple(SHAPES),
    "precision": ("32", "16"),
    "evaluation_strategy": ("epoch", "steps", "disable"),
    "logging_strategy": ("epoch", "steps"),
    "metric_for_best_model": ("loss", "f1", "exact"),
}
AT_LEAST_ONE = (
    "num_train_epochs",
    "per_device_train_batch_size",
    "per_device_eval_batch_size",
    "gradient_accumulation_steps",
    "lora_r",
    "eval_steps",
    "logging_steps",
)
NOT_NEGATIVE = ("warmup_steps", "weight_decay", "max_grad_norm", "early_stopping_patience")
UNIT = ("adam_beta1", "adam_beta2", "lora_dropout")  # 0 <= x < 1
# What a GPU cluster needs and one small machine does not; accepted, and said so in the log.
WITHOUT_EFFECT = (
    "apply_deepspeed",
    "apply_ort",
    "auto_find_batch_size",
    "dataloader_num_workers",
    "eval_accumulation_steps",
    "ignore_mismatched_sizes",
    "resume_from_checkpoint",
    "save_total_limit",
)


def settings_from(given: Namespace) -> Settings:
    """Read and check what a step was given; what is absent keeps the component's default."""
    values: dict[str, Any] = {}
    for field in fields(Settings):
        text = getattr(given, field.name, None)
        if text is not None:
            values[field.name] = _value(field.name, str(text), type(field.default))
    settings = Settings(**values)
    problems = check(settings)
    if problems:
        raise StepError("; ".join(problems))
    return settings


def check(settings: Settings) -> list[str]:
    """Return what is wrong with the settings, each with its name and how to mend it."""
    get = settings.__getattribute__
    wrong = [
        f"{name} is {get(name)!r}: choose one of {', '.join(c)}" for name, c in CHOICES.items() if get(name) not in c
    ]
    wrong += [f"{name} is {get(name)}: it must be 1 or more" for name in AT_LEAST_ONE if get(name) < 1]
    wrong += [f"{name} is {get(name)}: it must not be negative" for name in NOT_NEGATIVE if get(name) < 0]
    wrong += [f"{name} is {get(name)}: it must lie in [0, 1)" for name in UNIT if not 0 <= get(name) < 1]
    if not settings.learning_rate > 0:
        wrong.append(f"learning_rate is {settings.learning_rate}: it must be greater than 0")
    if settings.apply_early_stopping and settings.evaluation_strategy == "disable":
        wrong.append("apply_early_stopping needs evaluation: set evaluation_strategy to epoch or steps")
    if settings.apply_deepspeed and settings.auto_find_batch_size:
        wrong.append("Deep Speed cannot be coupled with auto_find_batch_size: set one of them to false")
    return wrong


def without_effect(given: Namespace) -> list[str]:
    """Return the inputs that were switched on and do nothing in the box."""
    return [name for name in WITHOUT_EFFECT if getattr(given, name, None) not in (None, "false", "0", "-1", "1")]


def _value(name: str, text: str, kind: type) -> Any:
    try:
        if kind is bool:
            return {"true": True, "false": False}[text.lower()]
        number = float(text) if kind in (int, float) else 0.0
        if kind is int:
            if number != int(number):
                raise ValueError
            return int(number)
        return number if kind is float else text
    except (KeyError, ValueError, OverflowError):
        wanted = {bool: "true or false", int: "a whole number", float: "a number"}[kind]
        raise StepError(f"{name} is {text!r}: it must be {wanted}") from None
