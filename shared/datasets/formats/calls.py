"""Calls of tools, and the tools themselves, in OpenAI's shape."""

from __future__ import annotations

import json
from typing import Any

from shared.datasets.formats.decoding import decoded
from shared.datasets.formats.errors import CannotConvertError


class Calls:
    """The calls of one conversation: each gets an id, and each answer of a tool the id of the first call unanswered."""

    def __init__(self) -> None:
        self._count = 0
        self._waiting: list[str] = []

    def made(self, value: Any) -> list[dict[str, Any]]:
        """The calls of a message, whether flat (`name`, `arguments`) or as OpenAI has them.

        Raises:
            CannotConvertError: they are neither.
        """
        value = decoded(value)
        return [self._call(call) for call in (value if isinstance(value, list) else [value])]

    def answered(self, given: Any) -> str | None:
        """The id of the call that an answer belongs to."""
        if given and str(given) in self._waiting:
            self._waiting.remove(str(given))
        return str(given) if given else self._waiting.pop(0) if self._waiting else None

    def _call(self, call: Any) -> dict[str, Any]:
        function = call.get("function", call) if isinstance(call, dict) else None
        if not isinstance(function, dict) or not isinstance(function.get("name"), str):
            raise CannotConvertError("a call of a tool has no `name` and `arguments`")
        self._count += 1
        given = call.get("id") or f"call_{self._count}"
        self._waiting.append(str(given))
        arguments = function.get("arguments", function.get("parameters", {}))
        text = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
        return {"id": str(given), "type": "function", "function": {"name": function["name"], "arguments": text}}


def tools_of(value: Any) -> list[Any] | None:
    """Tools in OpenAI's shape, or None where there are none; Anthropic's, Gemini's and bare functions are turned.

    Raises:
        CannotConvertError: they are no list of objects.
    """
    value = decoded(value)
    if not value:
        return None
    if not isinstance(value, list) or not all(isinstance(tool, dict) for tool in value):
        raise CannotConvertError("`tools` is no list of objects")
    return [found for tool in value for found in _tools(tool)]


def _tools(tool: dict[str, Any]) -> list[dict[str, Any]]:
    if "function" in tool:
        return [tool]
    for key in ("functionDeclarations", "function_declarations"):
        if isinstance(tool.get(key), list):
            return [{"type": "function", "function": function} for function in tool[key]]
    function = {("parameters" if key == "input_schema" else key): value for key, value in tool.items() if key != "type"}
    return [{"type": "function", "function": function}]
