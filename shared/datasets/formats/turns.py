"""From what others call a turn to a chat message: who speaks, and what is said."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from shared.datasets.formats.calls import Calls
from shared.datasets.formats.decoding import decoded
from shared.datasets.formats.errors import CannotConvertError, named

Message = dict[str, Any]
LeftOut = Counter[str]
EMPTY: tuple[Any, ...] = (None, "", [], {})
_SPEAKERS = {
    "system": "system developer",
    "user": "user human prompter client customer question query instruction input [inst]",
    "assistant": "assistant gpt chatgpt bot chatbot ai model agent bard bing response answer output [/inst]",
    "tool": "tool function observation function_response tool_response tool_result ipython",
    "call": "function_call function-call tool_call",
}
SPEAKERS = {word: role for role, words in _SPEAKERS.items() for word in words.split()}
_THOUGHTS = ("reasoning", "thinking", "redacted_thinking")
_SIDES = ("system", "user", "assistant")
_ROLE_KEYS = ("role", "from", "speaker", "author")
_TEXT_KEYS = ("content", "value", "parts", "text", "message")
_READ = ("name", "tool_calls", "tool_call_id", "function_call")


def turns(values: Any, left_out: LeftOut) -> list[Message]:
    """A list of turns as chat messages.

    Raises:
        CannotConvertError: something is no turn, an unknown speaker, or no text.
    """
    values = decoded(values)
    if not isinstance(values, list):
        raise CannotConvertError("the turns are no list")
    calls, found = Calls(), []
    for number, value in enumerate(values, 1):
        try:
            found += _turn(value, calls, left_out)
        except CannotConvertError as error:
            raise CannotConvertError(f"turn {number}: {error.reason}") from error
    return found


def are_turns(value: Any) -> bool:
    """Whether this is a list of objects that say who speaks."""
    return isinstance(value, list) and bool(value) and all(isinstance(turn, dict) and _speaker(turn) for turn in value)


def text_of(content: Any) -> str:
    """What is said: a text, or parts that are all text, joined by line ends.

    Raises:
        CannotConvertError: an image or anything else that is no text.

    >>> text_of([{"type": "text", "text": "a"}, {"text": "b"}])
    'a\\nb'
    """
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join(text_of(part) for part in content)
    if isinstance(content, dict):
        return _part(content)
    raise CannotConvertError("there is no text" if content is None else "the text is no text")


def role_of(speaker: Any) -> str:
    """The role of a speaker, `call` for a call of tools.

    Raises:
        CannotConvertError: nobody that we know.
    """
    if role := SPEAKERS.get(str(speaker).strip().lower()):
        return role
    raise CannotConvertError(f"an unknown speaker, {named(speaker)}")


def _part(part: dict[str, Any]) -> str:
    if isinstance(part.get("text"), str):
        return str(part["text"])
    if part.get("type") == "text" and isinstance(part.get("value"), str):
        return str(part["value"])
    if "parts" in part or "content" in part:
        return text_of(part.get("parts", part.get("content")))
    kind = part.get("type") or next(iter(part), "an empty one")
    raise CannotConvertError(f"a part is no text ({named(kind)})")


def _speaker(turn: dict[str, Any]) -> str | None:
    return next((key for key in _ROLE_KEYS if key in turn), None)


def _turn(turn: Any, calls: Calls, left_out: LeftOut) -> list[Message]:
    if not isinstance(turn, dict):
        raise CannotConvertError("it is no object")
    speaker = _speaker(turn)
    if speaker is None:
        return _sides(turn)
    role = role_of(turn[speaker])
    key = next((key for key in _TEXT_KEYS if turn.get(key) is not None), "content")
    for name, value in turn.items():
        if name not in (speaker, key, *_READ) and value not in EMPTY:
            left_out[f"the key {named(name)} of a message"] += 1
    said = _without_thoughts(turn.get(key), left_out)
    return [{"role": "assistant" if role == "call" else role, **_said(role, turn, said, calls)}]


def _without_thoughts(said: Any, left_out: LeftOut) -> Any:
    if not isinstance(said, list):
        return said
    kept = [part for part in said if not (isinstance(part, dict) and part.get("type") in _THOUGHTS)]
    if len(kept) < len(said):
        left_out["a part that is reasoning"] += len(said) - len(kept)
    return kept


def _said(role: str, turn: dict[str, Any], said: Any, calls: Calls) -> dict[str, Any]:
    named = {"name": turn["name"]} if isinstance(turn.get("name"), str) else {}
    if role == "call":
        return {"content": "", **named, "tool_calls": calls.made(said)}
    if made := turn.get("tool_calls") or turn.get("function_call"):
        return {"content": text_of(said) if said else "", **named, "tool_calls": calls.made(made)}
    if role != "tool":
        return {"content": text_of(said), **named}
    text = json.dumps(said, ensure_ascii=False) if isinstance(said, dict) else text_of(said)
    answers = calls.answered(turn.get("tool_call_id"))
    return {"content": text, **named, **({"tool_call_id": answers} if answers else {})}


def _sides(turn: dict[str, Any]) -> list[Message]:
    """A turn that holds what both sides say, under the speakers' names."""
    told = [(SPEAKERS.get(str(word).lower()), text) for word, text in turn.items() if text not in EMPTY]
    if not told or any(role not in _SIDES for role, _ in told):
        raise CannotConvertError("it does not say who speaks")
    told.sort(key=lambda pair: _SIDES.index(str(pair[0])))
    return [{"role": role, "content": text_of(text)} for role, text in told]
