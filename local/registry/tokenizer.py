"""The box's `tokenizer.json`: SmolLM2's own vocabulary, read out of its GGUF file, for counting tokens with."""

from __future__ import annotations

from pathlib import Path

from local.components.chat_completion.gguf_file import GgufFile
from local.components.chat_completion.vocabulary import Vocabulary

FILE = "tokenizer.json"


def write_tokenizer(weights: Path, target: Path) -> None:
    """Write the vocabulary of a GGUF file as a `tokenizer.json` of the package tokenizers, whole or not at all."""
    temporary = target.with_name(f".{target.name}.new")
    Vocabulary(GgufFile(weights)).save(temporary)
    temporary.replace(target)
