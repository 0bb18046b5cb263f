"""Step ft_nlp_common_validation: check the inputs before anything costs time.

The output is one file, "Validation Completed", as the real step writes it.
"""

from __future__ import annotations

from pathlib import Path

from .arguments import parse
from .errors import StepError, run_step
from .settings import settings_from

MODEL_AND_COMPUTE = (
    "mlflow_model_path",
    "compute_finetune",
    "compute_model_import",
    "compute_data_preprocess",
    "task_name",
    "num_nodes_finetune",
    "number_of_gpu_to_use_finetuning",
)
DATA = (
    "train_file_path",
    "validation_file_path",
    "test_file_path",
    "train_mltable_path",
    "validation_mltable_path",
    "test_mltable_path",
)
TRAINING = (
    "user_column_names",
    "system_properties",
    "num_train_epochs",
    "max_steps",
    "per_device_train_batch_size",
    "per_device_eval_batch_size",
    "auto_find_batch_size",
    "learning_rate",
    "adam_beta1",
    "adam_beta2",
    "adam_epsilon",
    "apply_deepspeed",
    "precision",
    "apply_lora",
    "apply_ort",
    "deepspeed_stage",
    "ignore_mismatched_sizes",
    "max_seq_length",
)


def main() -> None:
    """Check hyper-parameters, data files and model, and say so."""
    given = parse("validate", ("validation_info",), MODEL_AND_COMPUTE + DATA + TRAINING)
    settings = settings_from(given)
    for name in DATA:
        _check_data(name, getattr(given, name))
    if not (given.train_file_path or given.train_mltable_path):
        raise StepError("train_file_path is missing: give a file of training conversations")
    if given.mlflow_model_path and not Path(given.mlflow_model_path, "MLmodel").is_file():
        raise StepError(f"mlflow_model_path {given.mlflow_model_path} holds no MLmodel file: give an MLflow model")
    print(f"learning rate {settings.learning_rate:g}, {settings.num_train_epochs} epochs: accepted")
    target = Path(given.validation_info)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("Validation Completed", encoding="utf-8")


def _check_data(name: str, path: str | None) -> None:
    if path is None:
        return
    if "mltable" in name:
        raise StepError(f"{name}: the box's trainer reads .jsonl and .json files, no MLTable; give the file itself")
    if not Path(path).is_file():
        raise StepError(f"{name}: there is no file {path}")
    if not Path(path).stat().st_size:
        raise StepError(f"{name}: {Path(path).name} is empty")


if __name__ == "__main__":
    run_step(main)
