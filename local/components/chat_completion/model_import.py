"""Step chat_completion_model_import: hand the base model's weights on to the later steps."""

from __future__ import annotations

import json
from pathlib import Path

from .arguments import parse
from .errors import StepError, run_step
from .mlflow_folder import hand_on, weights_of

OPTIONAL = ("huggingface_id", "pytorch_model_path", "mlflow_model_path", "validation_output", "finetune_config_path")
WEIGHTS, INFO = "model.gguf", "model_selector.json"


def main() -> None:
    """Find the weights, give them a name in the output folder, and note where they came from."""
    given = parse("model_import", ("output_dir",), OPTIONAL)
    source, base = _source(given.mlflow_model_path or given.pytorch_model_path, given.huggingface_id)
    target = Path(given.output_dir)
    target.mkdir(parents=True, exist_ok=True)
    hand_on(source, target / WEIGHTS)
    (target / INFO).write_text(json.dumps({"base_model_name": base}), encoding="utf-8")
    print(f"base model {base}: {source.stat().st_size / 1e6:.0f} MB")


def _source(folder: str | None, huggingface_id: str | None) -> tuple[Path, str]:
    if not folder:
        wanted = (
            f"huggingface_id {huggingface_id} cannot be fetched in the box" if huggingface_id else "no model is given"
        )
        raise StepError(f"{wanted}: give mlflow_model_path, a model of the registry")
    path = Path(folder)
    found = weights_of(path) if weights_of(path).is_file() else next(iter(sorted(path.glob("*.gguf"))), None)
    if found is None:
        raise StepError(f"{path} holds no weights in GGUF form (data/model.gguf): use one of the registry's models")
    return found, _base_name(path)


def _base_name(folder: Path) -> str:
    import yaml

    try:
        document = yaml.safe_load((folder / "MLmodel").read_text(encoding="utf-8"))
        return str(document["metadata"]["base_model_name"])
    except (OSError, KeyError, TypeError, yaml.YAMLError):
        return folder.name


if __name__ == "__main__":
    run_step(main)
