"""How the messages of a row are taken out, where that is more than a list of turns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from shared.datasets.formats.decoding import decoded
from shared.datasets.formats.errors import CannotConvertError, named
from shared.datasets.formats.templates import template_of, templated
from shared.datasets.formats.turns import EMPTY, LeftOut, Message, are_turns, text_of, turns

Row = dict[str, Any]
Taker = Callable[[Row, LeftOut], list[Message]]
CONVERSATIONS = ("conversations", "conversation")
TALKS = ("dialog", "dialogue", "turns", "utterances", "data")
ASKED = ("instruction", "prompt", "question", "query", "input", "context")


def listed(*keys: str) -> Taker:
    """Turns in the first of these columns that is there."""
    return lambda row, left_out: turns(next(row[key] for key in keys if key in row), left_out)


def paired(asked: tuple[str, ...], answer: str) -> Taker:
    """A question (of several columns, in this order) and its answer, with the `history` before them."""
    return lambda row, left_out: [
        *_history(row.get("history"), left_out),
        *_answered(_asked(row, asked, left_out), row[answer], left_out),
    ]


def preference(row: Row, left_out: LeftOut) -> list[Message]:
    """The preferred answer of a pair; the other one is left out."""
    chosen = row.get("chosen", row.get("chosen_messages"))
    if chosen in EMPTY:
        raise CannotConvertError("the pair has no chosen answer")
    key = next((key for key in CONVERSATIONS if key in row), None)
    asked = turns(row[key], left_out) if key else _asked(row, ASKED, left_out)
    if row.get("rejected", row.get("rejected_messages")) not in EMPTY:
        left_out["a rejected answer"] += 1
    return [*_history(row.get("history"), left_out), *_answered(asked, chosen, left_out)]


def openai_preference(row: Row, left_out: LeftOut) -> list[Message]:
    """The preferred output of OpenAI's preference format."""
    asked = row.get("input")
    if not isinstance(asked, dict):
        raise CannotConvertError("`input` has no messages")
    for key in asked.keys() - {"messages"}:
        left_out[f"{named(key)} of the column `input`"] += 1
    if row.get("non_preferred_output") not in EMPTY:
        left_out["a rejected answer"] += 1
    return [*turns(asked.get("messages"), left_out), *turns(row["preferred_output"], left_out)]


def talked(row: Row) -> str | None:
    """The column that holds a list of texts, said in turn."""
    return next((key for key in TALKS if _are_texts(row.get(key))), None)


def talk(row: Row, left_out: LeftOut) -> list[Message]:
    """User and assistant in turn."""
    texts = row[talked(row) or ""]
    return [{"role": ("user", "assistant")[n % 2], "content": text} for n, text in enumerate(texts)]


def templated_text(row: Row, left_out: LeftOut) -> list[Message]:
    """The turns that a text marks."""
    return templated(row["text"])


def refuse(reason: str) -> Taker:
    """For shapes that are known, and known not to be convertible row by row."""

    def take(row: Row, left_out: LeftOut) -> list[Message]:
        raise CannotConvertError(reason)

    return take


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and len(value) > 1 and all(isinstance(text, str) for text in value)


def _asked(row: Row, keys: tuple[str, ...], left_out: LeftOut) -> list[Message]:
    found = [_maybe_turns(row[key]) for key in keys if row.get(key) not in EMPTY]
    if any(are_turns(piece) for piece in found):
        if len(found) > 1:
            raise CannotConvertError("messages and other columns both hold the question")
        return turns(found[0], left_out)
    text = "\n".join(text_of(piece) for piece in found)
    return [{"role": "user", "content": text}] if text else []


def _answered(asked: list[Message], answer: Any, left_out: LeftOut) -> list[Message]:
    answer = _maybe_turns(answer)
    if are_turns(answer) or are_turns([answer]):
        said = turns(answer if isinstance(answer, list) else [answer], left_out)
        whole = any(message["role"] == "user" for message in said)
        return said if whole else [*asked, *said]
    text = text_of(answer)
    before = asked[0]["content"] if len(asked) == 1 else ""
    if template_of(before) or (not asked and template_of(text)):
        return templated(before + text)
    return [*asked, {"role": "assistant", "content": text}]


def _maybe_turns(value: Any) -> Any:
    """Turns that were written as a text, read again; an answer that is JSON of another kind stays a text."""
    found = decoded(value)
    return found if are_turns(found) else value


def _history(value: Any, left_out: LeftOut) -> list[Message]:
    value = decoded(value)
    if value in EMPTY:
        return []
    if not isinstance(value, list):
        raise CannotConvertError("`history` is no list")
    if all(isinstance(turn, dict) for turn in value):
        return turns(value, left_out)
    if not all(isinstance(said, list | tuple) and len(said) == 2 for said in value):
        raise CannotConvertError("`history` is no list of questions with their answers")
    roles = ("user", "assistant")
    return [{"role": role, "content": text_of(text)} for said in value for role, text in zip(roles, said, strict=True)]
