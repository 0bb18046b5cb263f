"""Tokens of a chat where nobody counts them: an estimate by the base model's name, or its own tokenizer where there is one.

A request is refused for its length only where it is too long even if the estimate is wrong by all that it may be wrong by:
then the GPU need not see it. `DROPTUNE_TOKENIZER` makes it exact.
"""

from __future__ import annotations

from typing import Any

from shared.azure.outside import outside, remembered
from shared.datasets.tokens import Counter, TokenizerError, context_tokens, estimated, from_file
from shared.endpoints.refusals import bad
from shared.errors import NotFoundError
from shared.runs import store
from shared.settings import settings

SAMPLE = 128  # characters from each end of a long text, by which the whole is estimated: 20 µs, not 600 for a page
RUN_SECONDS = 24 * 3600.0  # a run's base model never changes


class Lengths:
    """Counts for one base model; `context` is its context in tokens, None where its name does not tell it."""

    def __init__(self, base_model: str, tokenizer: str = "") -> None:
        known, sure = context_tokens(base_model)
        self.context = known if base_model and sure else None
        self._counter = _counter(base_model, tokenizer)

    def of_text(self, text: str) -> int:
        """Tokens of an answer, without its end mark."""
        if self._counter.exact or len(text) <= 2 * SAMPLE:
            return self._counter.count([text])[0]
        seen = self._counter.count([text[:SAMPLE] + text[-SAMPLE:]])[0]
        return round(seen * len(text) / (2 * SAMPLE))

    def of_chat(self, messages: list[dict[str, str]]) -> int:
        """Tokens of a conversation with what the template puts around its messages."""
        roles = [message["role"] for message in messages]
        texts = self.of_text("\n".join([message["content"] for message in messages]))
        return texts + sum(map(self._counter.around, roles)) + self._counter.before(roles)

    def surely(self, tokens: int) -> int:
        """The least that an estimate of so many tokens can stand for."""
        return int(tokens * (1 - self._counter.error))

    def room(self, prompt: int, limit: int | None, default: int) -> int:
        """How many tokens an answer may have, after a prompt of so many.

        Raises:
            ScoringError: 400, prompt and answer are surely longer than the context.
        """
        if self.context is None:
            return limit or default
        least = self.surely(prompt)
        if least + (limit or 1) > self.context:
            wanted = f"{least:,} or more in the messages" + (f", {limit:,} in the answer" if limit else "")
            told = f"this model's context length is {self.context:,} tokens, and you asked for {wanted}: shorten them"
            raise bad("messages" if least >= self.context else "max_tokens", told, "context_length_exceeded")
        return limit or min(default, self.context - least)


def _counter(base_model: str, tokenizer: str) -> Counter:
    if tokenizer:
        try:
            return from_file(tokenizer)
        except TokenizerError:
            pass  # the check of datasets says so, where somebody can mend it
    return estimated(base_model)


def lengths(run: str) -> Lengths:
    """What counts for the model of a run.

    Raises:
        ServiceError: the run cannot be read.
    """
    found: Lengths = remembered(f"lengths {run}", RUN_SECONDS, lambda: _lengths(run))
    return found


def known(run: str) -> Lengths | None:
    """The same, where it was asked before: without a call."""
    entry: Any = outside().memory.get(f"lengths {run}")
    return entry[1] if entry else None


def _lengths(run: str) -> Lengths:
    try:
        base_model = str(store.load("run", run).record.base_model.get("name", ""))
    except NotFoundError:
        base_model = ""
    return Lengths(base_model, settings().tokenizer)
