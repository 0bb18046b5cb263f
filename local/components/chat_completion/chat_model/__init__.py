"""An MLflow python_function model that answers chats: what `MLmodel` names as its loader_module.

`_load_pyfunc(folder)` gives an object whose `predict({"input_string": …, "parameters": {…}})` returns `[{"0": text}, …]`,
one a conversation, as Azure's MLflow inference image does for a chat model (AZUREML_CONTRACT.md section 3).
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

from .requests import Generation, Messages, conversations_in, generation_in

AT_ONCE = 4  # conversations that are generated in one batch; each costs 25 MB; more than that wait within llama.cpp


class Engine(Protocol):
    """Something that answers one conversation."""

    def answer(self, messages: Messages, generation: Generation) -> str:
        """Return the assistant's words."""


class ChatModel:
    """Answers chats with an engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._threads = ThreadPoolExecutor(AT_ONCE, "answer")

    def predict(self, model_input: Any, params: Mapping[str, Any] | None = None) -> list[dict[str, str]]:
        """Answer each conversation; ValueError says what is wrong with the input."""
        conversations = conversations_in(model_input)
        generation = generation_in(model_input, params)
        if len(conversations) == 1:
            return [{"0": self._engine.answer(conversations[0], generation)}]
        answers = self._threads.map(lambda messages: self._engine.answer(messages, generation), conversations)
        return [{"0": text} for text in answers]


def _load_pyfunc(data_path: str) -> ChatModel:
    """Load the weights: llama.cpp where it can be imported, else transformers."""
    weights = Path(data_path, "model.gguf")
    if not weights.is_file():
        raise FileNotFoundError(f"the model folder holds no {weights}")
    try:
        from .llama_cpp import LlamaCppEngine
    except ImportError:
        from .transformers_engine import TransformersEngine

        return ChatModel(TransformersEngine(weights))
    return ChatModel(LlamaCppEngine(weights, AT_ONCE))
