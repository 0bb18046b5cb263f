"""The model's own tokenizer and chat template, as its GGUF file carries them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .errors import StepError
from .gguf_file import GgufFile

CONTROL, USER_DEFINED = 3, 4  # ggml's token types of tokens that are matched whole in a text


class Vocabulary:
    """Turns conversations into text and text into token ids, as llama.cpp does for the same file."""

    def __init__(self, model: GgufFile) -> None:
        self._tokenizer = _tokenizer(model)
        self._template = _template(model)
        self._specials = {
            "bos_token": _token(model, "tokenizer.ggml.bos_token_id"),
            "eos_token": _token(model, "tokenizer.ggml.eos_token_id"),
        }

    def render(self, messages: list[dict[str, Any]], *, prompt: bool, tools: Any = None) -> str:
        """Return the text of a conversation; with `prompt`, up to where the assistant would begin to speak."""
        extra = {"tools": tools} if tools else {}
        return str(self._template.render(messages=messages, add_generation_prompt=prompt, **self._specials, **extra))

    def encode(self, text: str) -> list[int]:
        """Return the token ids of a text, without adding any."""
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def decode(self, ids: list[int]) -> str:
        """Return the text of token ids, control tokens included."""
        return str(self._tokenizer.decode(ids, skip_special_tokens=False))

    def save(self, path: Path) -> None:
        """Write the tokenizer as a `tokenizer.json` of the package tokenizers."""
        self._tokenizer.save(str(path), pretty=False)


def _tokenizer(model: GgufFile) -> Any:
    """Build a byte-level BPE tokenizer; other kinds of GGUF vocabulary are refused."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    kind, pre = model.get("tokenizer.ggml.model"), model.get("tokenizer.ggml.pre")
    if kind != "gpt2" or pre != "smollm":
        raise StepError(
            f"{model.path.name} has the tokenizer {kind}/{pre}; the box's trainer knows gpt2/smollm only. "
            "Choose one of the registry's models."
        )
    tokens: list[str] = model.get("tokenizer.ggml.tokens")
    merges = [tuple(line.split(" ", 1)) for line in model.get("tokenizer.ggml.merges")]
    tokenizer = Tokenizer(models.BPE(vocab={token: i for i, token in enumerate(tokens)}, merges=merges))
    # SmolLM2's own rule: each digit for itself, then GPT-2's splitting.
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    types = model.get("tokenizer.ggml.token_type")
    whole = [token for token, kind in zip(tokens, types, strict=True) if kind in (CONTROL, USER_DEFINED)]
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in whole])
    return tokenizer


def _template(model: GgufFile) -> Any:
    """Compile the chat template with the settings that transformers and llama.cpp use."""
    from jinja2.ext import loopcontrols
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    source = model.get("tokenizer.chat_template")
    if not source:
        raise StepError(f"{model.path.name} has no chat template; choose a chat (instruct) model.")
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols])
    environment.globals["raise_exception"] = _refuse
    return environment.from_string(source)


def _refuse(message: str) -> None:
    raise StepError(f"The model's chat template refuses the conversation: {message}")


def _token(model: GgufFile, key: str) -> str:
    index = model.get(key)
    return "" if index is None else str(model.get("tokenizer.ggml.tokens")[index])
