"""transformers' `generate` in bfloat16 over the same weights: `python -m bench.generation.with_transformers WEIGHTS TOKENS`.

Prints the seconds of one greedy answer to the bench's prompt, after a short one to warm up.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from bench.generation.prompts import LONG


def main(weights: Path, tokens: int) -> None:
    """Load, warm up, measure."""
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    place: dict[str, Any] = {"pretrained_model_name_or_path": str(weights.parent), "gguf_file": weights.name}
    tokenizer: Any = AutoTokenizer.from_pretrained(**place)
    model: Any = AutoModelForCausalLM.from_pretrained(**place, dtype=torch.bfloat16)
    talk = [{"role": "user", "content": LONG[0]}]
    inputs: Any = tokenizer.apply_chat_template(talk, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    with torch.no_grad():
        _answer(model, inputs, 4)
        print(_answer(model, inputs, tokens))


def _answer(model: Any, inputs: Any, tokens: int) -> float:
    began = time.perf_counter()
    model.generate(**inputs, do_sample=False, min_new_tokens=tokens, max_new_tokens=tokens)
    return time.perf_counter() - began


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
