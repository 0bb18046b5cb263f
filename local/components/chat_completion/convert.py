"""Step ft_nlp_model_converter: merge what was learnt into whole weights, in an MLflow folder that can be deployed.

The adapter is merged because llama.cpp sometimes forgets a separate one (BOX_FACTS.md section 6).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

from .arguments import parse
from .errors import StepError, run_step
from .gguf_file import Field, GgufFile, Tensor, quantised, write_gguf
from .mlflow_folder import weights_of, write_mlflow_folder
from .names import CONFIG, FILE, FULL, hf_name, interleaved_heads, is_projection, peft_name, to_gguf

BASE, INFO = "base.gguf", "training.json"
MOSTLY_Q8_0 = Field(4, 7)  # llama.cpp's file type
Array = NDArray[np.float32]


def main() -> None:
    """Write the MLflow folder."""
    given = parse("convert", ("model_path", "mlflow_model_folder"), ("model_import_output", "system_properties"))
    source, target = Path(given.model_path), Path(given.mlflow_model_folder)
    try:
        info = json.loads((source / INFO).read_text(encoding="utf-8"))
    except OSError as error:
        raise StepError(f"model_path {source} is not the output of chat_completion_finetune: {error}") from error
    write_mlflow_folder(target, {**info, "base_model_task": "chat-completion", "is_finetuned_model": True})
    write_merged(GgufFile(source / BASE), source, weights_of(target))
    print(f"MLflow model: {weights_of(target).stat().st_size / 1e6:.0f} MB of weights")


def write_merged(base: GgufFile, learnt: Path, target: Path) -> None:
    """Write the base with what was learnt as one GGUF file in Q8_0; what did not change keeps its bytes."""
    change = _changes(base, learnt)
    tensors = {}
    for name, info in base.tensors.items():
        changed = change(name)
        tensors[name] = Tensor(info.shape, info.type_id, base.raw(name)) if changed is None else quantised(changed)
    write_gguf(target, {**base.fields, "general.file_type": MOSTLY_Q8_0}, tensors)


def _changes(base: GgufFile, learnt: Path) -> Callable[[str], Array | None]:
    """Return a function from a tensor's name to its new values, or to None where it did not change."""
    if (learnt / FULL).is_file():
        full = load_file(learnt / FULL)
        return lambda name: to_gguf(full[f"{hf_name(name)}.weight"], interleaved_heads(base, name))
    pairs = load_file(learnt / FILE)
    config = json.loads((learnt / CONFIG).read_text(encoding="utf-8"))
    scale = config["lora_alpha"] / config["r"]

    def merged(name: str) -> Array | None:
        if not is_projection(name):
            return None
        down, up = (pairs[f"{peft_name(name)}.lora_{side}.weight"] for side in "AB")
        return base.array(name) + to_gguf((up @ down * scale).astype(np.float32), interleaved_heads(base, name))

    return merged


if __name__ == "__main__":
    run_step(main)
