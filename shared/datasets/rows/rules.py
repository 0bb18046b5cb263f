"""The rules for one row of a chat dataset, value by value: used for the lines that the fast way did not take."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from shared.datasets.rows import excerpt
from shared.datasets.rows.broken import DEEP, depth
from shared.datasets.rows.patterns import ROLES
from shared.datasets.rulebook import found

Raw = msgspec.Raw
Path = tuple[str | int, ...]
KEPT = ("role", "content", "name", "tool_call_id", "tool_calls")
_KINDS = {"{": "an object", "[": "a list", '"': "a text", "t": "true", "f": "false", "n": "null"}
_LIKELY = {
    "human": "user",
    "gpt": "assistant",
    "bot": "assistant",
    "chatbot": "assistant",
    "model": "assistant",
    "ai": "assistant",
    "developer": "system",
    "function": "tool",
    "observation": "tool",
}
_text = msgspec.json.Decoder(str).decode
_any = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


class Line(NamedTuple):
    """A line under examination, and where its findings and notes go."""

    data: bytes
    number: int
    add: Callable[[Any], None]
    wants: Callable[[str], bool]
    note: Callable[[str, int], None]

    def error(self, code: str, message: str, path: Path = (), fix: str = "") -> None:
        """Says that a field of the line is wrong, with its place marked where the finding will be listed."""
        marked = excerpt.at(self.data, path) if path and self.wants(code) else None
        self.add(found(code, message, self.number, field(path) or None, fix=fix, excerpt=marked))


def field(path: Path) -> str:
    """A path as people write it.

    >>> field(("messages", 2, "role"))
    'messages[2].role'
    """
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")


def kind(raw: Any) -> str:
    """What a JSON value is, in words."""
    return _KINDS.get(chr(bytes(raw)[0]), "a number") if bytes(raw) else "missing"


def message(value: dict[str, Raw], path: Path, line: Line) -> dict[str, Any] | None:
    """A message as the snapshot has it, or None where it has errors."""
    role, content = _role(value.get("role"), path, line), _content(value, path, line)
    calls = _calls(value["tool_calls"], (*path, "tool_calls"), line) if _given(value, "tool_calls") else None
    if role is None or content is None or (calls is None and _given(value, "tool_calls")):
        return None
    clean: dict[str, Any] = {"role": role, "content": content}
    for key in ("name", "tool_call_id"):
        if _given(value, key) and bytes(value[key])[:1] == b'"':
            clean[key] = _text(value[key])
    if calls:
        clean["tool_calls"] = calls
    if any(key not in KEPT and _given(value, key) for key in value):
        line.note("extra_message_keys", line.number)
    return clean


def tools(raw: Raw, line: Line) -> list[Any] | None:
    """The tools of a row; None where there are none or they are wrong (then it has been said)."""
    if bytes(raw) in (b"null", b"[]", b'""'):
        return None
    value = _any(raw)
    if isinstance(value, list) and all(isinstance(tool, dict) for tool in value):
        if not (odd := _odd(value)):
            return value
        line.error("tools_invalid", f"`tools` has {odd}, which the pipeline's loader does not take", ("tools",))
        return None
    line.error("tools_invalid", f"`tools` is {kind(raw)}, not a list of objects", ("tools",))
    return None


def too_deep(line: bytes) -> bool:
    """Whether brackets are nested more than 200 deep."""
    return line.count(b"[") + line.count(b"{") > DEEP and depth(line) > DEEP


def _odd(value: Any) -> str:
    """What of a value the loader does not take as it is, anywhere in it (tried with HF datasets 4.7.0).

    Numbers above 64 bits make it fail; a NUL ends a name; a name `[]` is what it calls the items of a list itself.
    """
    if isinstance(value, int):
        return "" if -(2**63) <= value < 2**64 else f"the number {value}"
    if isinstance(value, dict) and (name := next((name for name in value if "\0" in name or name == "[]"), None)):
        return f"the name {name!r}"
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return next((odd for item in inner if (odd := _odd(item))), "")


def _given(value: dict[str, Raw], key: str) -> bool:
    return key in value and bytes(value[key]) not in (b"null", b"[]")


def _role(raw: Raw | None, path: Path, line: Line) -> str | None:
    place = (*path, "role")
    if raw is None or bytes(raw)[:1] != b'"':
        what = "is missing" if raw is None else f"is {kind(raw)}"
        line.error("role_missing", f"{field(place)} {what}", place if raw is not None else path)
        return None
    role = _text(raw)
    if role in ROLES:
        return role
    near = _LIKELY.get(role.strip().lower(), role.strip().lower())
    fix = f'Write "{near}".' if near in ROLES else ""
    line.error("role_unknown", f"{field(place)} is {role[:40]!r}: training would drop the message", place, fix)
    return None


def _content(value: dict[str, Raw], path: Path, line: Line) -> str | None:
    raw, place = value.get("content"), (*path, "content")
    start = bytes(raw)[:1] if raw is not None else b""
    if raw is not None and start == b'"':
        return _text(raw)
    if start in (b"", b"n") and _given(value, "tool_calls"):
        line.note("content_of_calls", line.number)
        return ""
    if start == b"[":
        line.error("content_parts", f"{field(place)} is a list of parts", place)
        return None
    what = "is missing" if raw is None else f"is {kind(raw)}"
    line.error("content_not_text", f"{field(place)} {what}", place if raw is not None else path)
    return None


def _calls(raw: Raw, path: Path, line: Line) -> list[dict[str, Any]] | None:
    value = _any(raw)
    if not isinstance(value, list):
        line.error("tool_calls_invalid", f"{field(path)} is {kind(raw)}, not a list", path)
        return None
    calls = [_call(call, (*path, index), line) for index, call in enumerate(value)]
    return None if None in calls else [call for call in calls if call is not None]


def _call(call: Any, path: Path, line: Line) -> dict[str, Any] | None:
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        line.error("tool_calls_invalid", f"{field(path)} has no function with a name", path)
        return None
    arguments = function.get("arguments", "{}")
    if not isinstance(arguments, str):
        line.note("arguments_not_text", line.number)
        arguments = _encode(arguments).decode()
    return {
        "id": str(call.get("id") or ""),
        "type": "function",
        "function": {"name": function["name"], "arguments": arguments},
    }
