"""What a scoring request may hold: conversations and generation parameters, checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Messages = list[dict[str, str]]
DEFAULT_TOKENS = 256


@dataclass(frozen=True)
class Generation:
    """How to generate; temperature 0 is greedy."""

    max_tokens: int = DEFAULT_TOKENS
    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0
    repetition_penalty: float = 1.0
    seed: int | None = None
    stop: tuple[str, ...] = ()


def conversations_in(model_input: Any) -> list[Messages]:
    """Return the conversations of `input_string`: a list of them, or one as a flat list of messages."""
    given = model_input.get("input_string") if isinstance(model_input, Mapping) else model_input
    if not isinstance(given, list) or not given:
        raise ValueError("input_data.input_string must be a list of messages, or a list of such lists")
    conversations = given if isinstance(given[0], list) else [given]
    return [_checked(messages) for messages in conversations]


def generation_in(model_input: Any, params: Mapping[str, Any] | None) -> Generation:
    """Read `parameters` of the input and `params` of the request; the latter win."""
    inner = model_input.get("parameters") if isinstance(model_input, Mapping) else None
    for given in (inner, params):
        if given is not None and not isinstance(given, Mapping):
            raise ValueError("parameters must be an object")
    merged = {**(inner or {}), **(params or {})}
    values: dict[str, Any] = {}
    sampling = merged.pop("do_sample", None)
    for name, value in merged.items():
        if value is not None and name not in WITHOUT_EFFECT:
            target, read = _reader(name)
            values[target] = read(name, value)
    if sampling is False:
        values["temperature"] = 0.0
    elif sampling and "temperature" not in values:
        values["temperature"] = 1.0
    return Generation(**values)


def _checked(messages: Any) -> Messages:
    if not isinstance(messages, list) or not messages:
        raise ValueError("a conversation must be a list of messages and must not be empty")
    for number, message in enumerate(messages, 1):
        _check_message(number, message)
    turns = [message["role"] for message in messages]
    if turns[0] == "system":
        turns = turns[1:]
    if "system" in turns:
        raise ValueError("a system message may only come first")
    if any(role != ("user", "assistant")[i % 2] for i, role in enumerate(turns)):
        raise ValueError("after the system message, user and assistant must alternate, beginning with user")
    if not turns or turns[-1] != "user":
        raise ValueError("the last message must be the user's: there is nothing to answer")
    return messages


def _check_message(number: int, message: Any) -> None:
    if not isinstance(message, dict) or not isinstance(message.get("content"), str):
        raise ValueError(f"message {number} must be an object with `role` and a `content` of text")
    if message.get("role") not in ("system", "user", "assistant"):
        raise ValueError(f"message {number} has an unknown role: use system, user or assistant")


def _number(least: float, most: float, kind: type[int] | type[float]) -> Callable[[str, Any], float]:
    def read(name: str, value: Any) -> float:
        good = isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most
        if not good or kind(value) != value:
            raise ValueError(f"{name} must be {'a whole' if kind is int else 'a'} number from {least:g} to {most:g}")
        return kind(value)

    return read


def _texts(name: str, value: Any) -> tuple[str, ...]:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list | tuple) or not all(isinstance(text, str) and text for text in texts):
        raise ValueError(f"{name} must be a text or a list of texts")
    return tuple(texts)


WITHOUT_EFFECT = ("return_full_text", "add_generation_prompt", "n", "user", "stream")
_TOKENS = ("max_tokens", _number(1, 1_000_000, int))
_READERS: dict[str, tuple[str, Callable[[str, Any], Any]]] = {
    "max_tokens": _TOKENS,
    "max_new_tokens": _TOKENS,
    "max_gen_len": _TOKENS,
    "max_completion_tokens": _TOKENS,
    "temperature": ("temperature", _number(0, 5, float)),
    "top_p": ("top_p", _number(0, 1, float)),
    "top_k": ("top_k", _number(0, 1_000_000, int)),
    "repetition_penalty": ("repetition_penalty", _number(0.1, 10, float)),
    "seed": ("seed", _number(0, 2**32 - 2, int)),
    "stop": ("stop", _texts),
}


def _reader(name: str) -> tuple[str, Callable[[str, Any], Any]]:
    if name not in _READERS:
        raise ValueError(f"unknown parameter {name!r}: known are {', '.join(sorted([*_READERS, 'do_sample']))}")
    return _READERS[name]
