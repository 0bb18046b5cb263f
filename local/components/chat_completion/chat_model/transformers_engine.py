"""The fall-back where xllamacpp cannot be imported: transformers, slower and larger, the same answers in substance."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from .requests import Generation, Messages


class TransformersEngine:
    """Answers with a GGUF model, one conversation at a time."""

    def __init__(self, weights: Path) -> None:
        from transformers import AutoModelForCausalLM, AutoTokenizer

        place: dict[str, Any] = {"pretrained_model_name_or_path": str(weights.parent), "gguf_file": weights.name}
        self._tokenizer: Any = AutoTokenizer.from_pretrained(**place)
        self._model: Any = AutoModelForCausalLM.from_pretrained(**place)
        self._lock = threading.Lock()

    def answer(self, messages: Messages, generation: Generation) -> str:
        """Return the assistant's words."""
        import torch

        inputs: Any = self._tokenizer.apply_chat_template(
            messages, add_generation_prompt=True, return_tensors="pt", return_dict=True
        )
        with self._lock, torch.no_grad():
            if generation.seed is not None:
                torch.manual_seed(generation.seed)
            output = self._model.generate(**inputs, **self._options(generation))
        text = str(self._tokenizer.decode(output[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True))
        ends = [text.find(stop) for stop in generation.stop if stop in text]
        return text[: min(ends)] if ends else text

    def _options(self, generation: Generation) -> dict[str, Any]:
        options: dict[str, Any] = {
            "max_new_tokens": generation.max_tokens,
            "do_sample": generation.temperature > 0,
            "repetition_penalty": generation.repetition_penalty,
        }
        if generation.temperature > 0:
            options |= {"temperature": generation.temperature, "top_p": generation.top_p, "top_k": generation.top_k}
        if generation.stop:
            options |= {"stop_strings": list(generation.stop), "tokenizer": self._tokenizer}
        return options
