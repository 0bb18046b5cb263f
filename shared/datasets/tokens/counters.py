"""What counts the tokens of texts: a base model's own tokenizer, or an estimate by script that states its error."""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from shared.datasets.tokens import base_models, token_rates


class TokenizerError(Exception):
    """The tokenizer file cannot be used; the message says what to do about it."""


class Counter(Protocol):
    """Counts tokens of texts; `error` is what the counts themselves may be wrong by, as a fraction."""

    name: str
    exact: bool
    error: float

    def count(self, texts: list[str]) -> list[int]:
        """The tokens of each text alone, without what a template puts around it."""
        ...

    def around(self, role: str) -> int:
        """The tokens that the chat template adds to a message of this role."""
        ...

    def before(self, roles: list[str]) -> int:
        """The tokens that the chat template puts before a conversation, for instance a system message of its own."""
        ...


class _Estimated:
    exact = False

    def __init__(self, model_name: str) -> None:
        known = base_models.vocabulary(model_name)
        self._kind, self._template = known or "32k", base_models.template(model_name)
        self.error = token_rates.ERROR if known else token_rates.ERROR_UNKNOWN
        self.name = f"characters by script, as a vocabulary of {self._kind} has them" + ("" if known else " (assumed)")

    def count(self, texts: list[str]) -> list[int]:
        return [math.ceil(token_rates.tokens(text, self._kind)) for text in texts]

    def around(self, role: str) -> int:
        return self._template.tokens

    def before(self, roles: list[str]) -> int:
        system = self._template.default_system
        return self._template.tokens + self.count([system])[0] if system and "system" not in roles[:1] else 0


class _Loaded:
    exact, error = True, 0.0

    def __init__(self, tokenizer: Any, name: str) -> None:
        self._tokenizer, self.name = tokenizer, name
        marks = (mark for mark in base_models.TEMPLATES if tokenizer.token_to_id(mark) is not None)
        self._template = base_models.TEMPLATES.get(next(marks, ""), base_models.Template())
        self.around = cache(self._around)

    def count(self, texts: list[str]) -> list[int]:
        return [len(found.ids) for found in self._tokenizer.encode_batch_fast(texts, add_special_tokens=False)]

    def _around(self, role: str) -> int:
        if not self._template.before:
            return self._template.tokens
        return sum(self.count([self._template.before.replace("{role}", role), self._template.after]))

    def before(self, roles: list[str]) -> int:
        system = self._template.default_system
        return self.around("system") + self.count([system])[0] if system and "system" not in roles[:1] else 0


def estimated(model_name: str) -> Counter:
    """A counter that needs nothing but the model's name; its error is stated."""
    return _Estimated(model_name)


def from_file(path: str | Path) -> Counter:
    """A counter by a `tokenizer.json`, exact for the model that it belongs to.

    Raises:
        TokenizerError: the package `tokenizers` is missing, or the file is, or it is none.
    """
    try:
        from tokenizers import Tokenizer
    except ImportError as error:
        raise TokenizerError("counting by a tokenizer needs the package tokenizers: pip install tokenizers") from error
    if not Path(path).is_file():
        raise TokenizerError(f"there is no tokenizer at {path}: name the tokenizer.json of the base model")
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the package raises no narrower one
        raise TokenizerError(f"{path} is no tokenizer.json that can be read: {error}") from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return _Loaded(tokenizer, f"the tokenizer {Path(path).name}")
