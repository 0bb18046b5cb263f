"""Conversations as token ids, with a label on each token that the assistant says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .errors import StepError
from .vocabulary import Vocabulary


@dataclass(frozen=True)
class Example:
    """One conversation: token ids, and for each whether its prediction counts in the loss."""

    ids: list[int]
    labelled: list[bool]

    def cut(self, length: int) -> Example:
        """Return the example's first `length` tokens."""
        return Example(self.ids[:length], self.labelled[:length])


def segments(vocabulary: Vocabulary, messages: list[dict[str, Any]], tools: Any = None) -> list[tuple[str, bool]]:
    """Split a conversation's text into pieces; those the assistant says (end mark included) are marked True.

    The mark is found by rendering the conversation up to each assistant turn, as the model will see it.
    """
    pieces: list[tuple[str, bool]] = []
    done = ""
    for index, message in enumerate(messages):
        if message.get("role") != "assistant":
            continue
        before = vocabulary.render(messages[:index], prompt=True, tools=tools)
        after = vocabulary.render(messages[: index + 1], prompt=False, tools=tools)
        if not (before.startswith(done) and after.startswith(before)):
            raise StepError(
                "The model's chat template writes earlier turns differently once a later one is added, so the "
                "assistant's words cannot be told apart. Use conversations with one assistant turn at the end."
            )
        said = after[len(before) :].rstrip("\n")
        pieces += [(before[len(done) :], False), (said, True)]
        done = before + said
    return pieces


def encode(vocabulary: Vocabulary, messages: list[dict[str, Any]], tools: Any = None) -> Example:
    """Return a conversation's tokens; each piece is encoded alone, as it is when the model answers."""
    ids: list[int] = []
    labelled: list[bool] = []
    for text, counts in segments(vocabulary, messages, tools):
        piece = vocabulary.encode(text)
        ids += piece
        labelled += [counts] * len(piece)
    return Example(ids, labelled)
