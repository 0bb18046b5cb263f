"""The shapes of rows that people have, as one table, and how each becomes a chat row.

Sources: LLaMA-Factory `data/README.md`; axolotl "Dataset Formats"; TRL "Dataset formats and types"; Vertex AI "Prepare
supervised fine-tuning data for Gemini models"; Bedrock "Prepare data for fine-tuning text-to-text models"; OpenAI
"Direct preference optimization".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from shared.datasets.formats import takers
from shared.datasets.formats.calls import tools_of
from shared.datasets.formats.errors import CannotConvertError, named
from shared.datasets.formats.takers import Row, Taker, listed, paired, refuse
from shared.datasets.formats.templates import template_of
from shared.datasets.formats.turns import EMPTY, LeftOut, Message, are_turns, text_of

SYSTEMS = ("system", "system_prompt", "systemInstruction", "system_instruction")
MEDIA = ("images", "image", "videos", "video", "audios", "audio")
LABELS = ("label", "kto_tag", "is_desirable")


@dataclass(frozen=True)
class Shape:
    """A shape: its name, whether a row has it, the columns that it reads, and how its messages are taken out."""

    name: str
    fits: Callable[[Row], object]
    columns: tuple[str, ...]
    take: Taker

    def convert(self, row: Any, left_out: LeftOut | None = None) -> Row:
        """The chat row; `left_out` counts, by name, what the row has and the chat row has not.

        Raises:
            CannotConvertError: says why it cannot be done.

        >>> row = {"prompt": "Hi", "completion": "Hello"}
        >>> shape_of(row).convert(row)
        {'messages': [{'role': 'user', 'content': 'Hi'}, {'role': 'assistant', 'content': 'Hello'}]}
        """
        row = {"messages": row} if isinstance(row, list) else row
        counted: LeftOut = Counter(
            f"the column {named(key)}"
            for key, value in row.items()
            if key not in (*self.columns, *SYSTEMS, "tools") and value not in EMPTY
        )
        if media := next((key for key in MEDIA if row.get(key) not in EMPTY), None):
            raise CannotConvertError(f"the row has {media}, and text alone can train")
        messages = _with_system(self.take(row, counted), row, counted)
        _check(messages)
        tools = tools_of(row.get("tools"))
        if left_out is not None:
            left_out.update(counted)
        return {"messages": messages, "tools": tools} if tools else {"messages": messages}


class _Labelled(Shape):
    """KTO: rows of any shape, with a mark that says whether the answer is a good one."""

    def convert(self, row: Any, left_out: LeftOut | None = None) -> Row:
        label = _label(row)
        rest = {key: value for key, value in row.items() if key != label}
        if str(row[label]).lower() == "false":
            raise CannotConvertError(f"the answer is marked as a bad one (`{label}` is false)")
        return (shape_of(rest) or CHAT).convert(rest, left_out)


def shape_of(row: Any) -> Shape | None:
    """The shape of a decoded row; None for a chat row, and for one that we know nothing about.

    >>> shape_of({"instruction": "Say hi", "output": "Hi"}).name
    'Alpaca'
    """
    if not isinstance(row, dict):
        return LIST if are_turns(row) else None
    shapes = WITH_MESSAGES if "messages" in row else OTHERS
    return next((shape for shape in shapes if shape.fits(row)), None)


def _with_system(messages: list[Message], row: Row, left_out: LeftOut) -> list[Message]:
    key = next((key for key in SYSTEMS if row.get(key) not in EMPTY), None)
    if key is None or not (text := text_of(row[key])):
        return messages
    own = next((message["content"] for message in messages if message["role"] == "system"), None)
    if own is None:
        return [{"role": "system", "content": text}, *messages]
    if own != text:
        left_out[f"the column `{key}`, where the turns have a system message of their own"] += 1
    return messages


def _check(messages: list[Message]) -> None:
    if not any(message["role"] == "user" for message in messages):
        raise CannotConvertError("there is no user's turn")
    if not any(m["role"] == "assistant" and (m["content"] or m.get("tool_calls")) for m in messages):
        raise CannotConvertError("there is no answer of the assistant")


def _label(row: Row) -> str | None:
    return next((key for key in LABELS if str(row.get(key)).lower() in ("true", "false")), None)


def _is_labelled(row: Row) -> bool:
    label = _label(row)
    rest = {key: value for key, value in row.items() if key != label}
    return label is not None and bool(shape_of(rest) or CHAT.fits(rest))


def _some(row: Row, fits: Callable[[dict[str, Any]], object]) -> bool:
    found = row["messages"]
    return isinstance(found, list) and any(isinstance(turn, dict) and fits(turn) for turn in found)


def _has(*keys: str) -> Callable[[Row], object]:
    return lambda row: all(key in row for key in keys)


def _alpaca(answer: str) -> Shape:
    asked = ("instruction", "context", "input")
    return Shape("Alpaca", _has("instruction", answer), (*asked, answer, "history"), paired(asked, answer))


def _pair(asked: str, answer: str) -> Shape:
    columns = (asked, "context", answer, "history")
    return Shape(f"{asked}/{answer}", _has(asked, answer), columns, paired(("context", asked), answer))


_PREFERENCE = (
    *("chosen", "rejected", "chosen_messages", "rejected_messages", "history"),
    *takers.CONVERSATIONS,
    *takers.ASKED,
)
_TURNS = listed("messages")
CHAT = Shape("chat rows", lambda row: isinstance(row.get("messages"), list), ("messages",), _TURNS)
LIST = Shape("bare lists of messages", lambda row: False, ("messages",), _TURNS)
_KTO = _Labelled("KTO", _is_labelled, (), _TURNS)
WITH_MESSAGES = (
    _KTO,
    Shape("Bedrock", _has("schemaVersion"), ("messages", "schemaVersion"), _TURNS),
    Shape("ShareGPT", lambda row: _some(row, lambda turn: "from" in turn), ("messages",), _TURNS),
    Shape("messages beside a system prompt", lambda row: row.get("system") not in EMPTY, ("messages",), _TURNS),
    Shape(
        "messages in parts",
        lambda row: _some(row, lambda turn: isinstance(turn.get("content"), list)),
        ("messages",),
        _TURNS,
    ),
    Shape("messages written as a text", lambda row: isinstance(row["messages"], str), ("messages",), _TURNS),
)
OTHERS = (
    _KTO,
    Shape("Gemini", _has("contents"), ("contents",), listed("contents")),
    Shape(
        "OpenAI preference pairs",
        _has("preferred_output"),
        ("input", "preferred_output", "non_preferred_output"),
        takers.openai_preference,
    ),
    Shape(
        "preference pairs (DPO)", lambda row: {"chosen", "chosen_messages"} & row.keys(), _PREFERENCE, takers.preference
    ),
    *(Shape("ShareGPT", _has(key), (key,), listed(key)) for key in takers.CONVERSATIONS),
    Shape("turns as a list of texts", takers.talked, takers.TALKS, takers.talk),
    Shape("OpenAI batch requests", _has("custom_id", "body"), (), refuse("a request has no answer in it")),
    *(
        Shape("one message a row (OASST)", _has("role", key), (), refuse("a row is one message, not a conversation"))
        for key in ("text", "content")
    ),
    *(_alpaca(answer) for answer in ("output", "response", "completion", "answer")),
    *(_pair("prompt", answer) for answer in ("response", "completion", "answer", "output")),
    *(_pair("question", answer) for answer in ("answer", "response")),
    *(_pair("query", answer) for answer in ("response", "answer")),
    *(_pair("input", answer) for answer in ("output", "response")),
    _pair("input_text", "output_text"),
    _pair("problem", "solution"),
    _pair("user", "assistant"),
    _pair("human", "assistant"),
    Shape(
        "templated text",
        lambda row: isinstance(row.get("text"), str) and template_of(row["text"]),
        ("text",),
        takers.templated_text,
    ),
    Shape("plain text", _has("text"), (), refuse("a text without turns has no answer to learn")),
)
