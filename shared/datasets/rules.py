"""The rules for one row of a chat dataset.

What `chat_completion_pipeline` fails on or silently loses, and OpenAI's published chat format does not allow, is an
error (source: AZUREML_CONTRACT section 1 "Data format"; RELIABILITY section 4).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shared.datasets.findings import Finding

ROLES = ("system", "user", "assistant", "tool")
_LIKELY = {
    "human": "user",
    "gpt": "assistant",
    "bot": "assistant",
    "model": "assistant",
    "ai": "assistant",
    "developer": "system",
    "function": "tool",
}


def check_row(row: Any, line: int) -> list[Finding]:
    """The errors of one decoded row; none means that it can be trained on."""
    if not isinstance(row, dict):
        return [
            _error("row_not_object", f"the line holds {_kind(row)}, not an object", 'write {"messages": [...]}', line)
        ]
    messages = row.get("messages")
    if not isinstance(messages, list):
        what = "the row has no `messages`" if "messages" not in row else f"`messages` is {_kind(messages)}, not a list"
        return [_error("messages_missing", what, _other_format(row), line, "messages")]
    if len(messages) < 2:
        return [
            _error(
                "messages_too_few",
                f"`messages` has {len(messages)} message(s): the pipeline drops such a row silently",
                "give each row a user's message and an assistant's answer",
                line,
                "messages",
            )
        ]
    found = [finding for index, message in enumerate(messages) for finding in _check_message(message, index, line)]
    return found or list(_check_turns(messages, line))


def _check_message(message: Any, index: int, line: int) -> Iterator[Finding]:
    place = f"messages[{index}]"
    if not isinstance(message, dict):
        yield _error(
            "message_not_object", f"{place} is {_kind(message)}", 'write {"role": …, "content": …}', line, place
        )
        return
    yield from _check_role(message.get("role"), f"{place}.role", line)
    yield from _check_content(message, f"{place}.content", line)


def _check_role(role: Any, place: str, line: int) -> Iterator[Finding]:
    if role in ROLES:
        return
    if not isinstance(role, str):
        yield _error("role_missing", f"{place} is {_kind(role)}", "use system, user, assistant or tool", line, place)
        return
    near = _LIKELY.get(role.strip().lower(), role.strip().lower())
    fix = f'write "{near}"' if near in ROLES else "use system, user, assistant or tool"
    yield _error(
        "role_unknown", f"{place} is {role[:40]!r}: training would drop the message silently", fix, line, place
    )


def _check_content(message: dict[str, Any], place: str, line: int) -> Iterator[Finding]:
    content = message.get("content")
    if isinstance(content, str):
        if has_surrogate(content):
            yield _error("lone_surrogate", f"{place} holds half a character", "write valid Unicode", line, place)
        return
    if content is None and message.get("tool_calls"):
        return
    if isinstance(content, list):
        yield _error(
            "content_parts",
            f"{place} is a list of parts",
            "write the text as one string; images cannot train",
            line,
            place,
        )
        return
    what = "is missing" if "content" not in message else f"is {_kind(content)}"
    yield _error("content_not_text", f"{place} {what}", "write the text as a string", line, place)


def _check_turns(messages: list[dict[str, Any]], line: int) -> Iterator[Finding]:
    if not any(m["role"] == "assistant" and (m.get("content") or m.get("tool_calls")) for m in messages):
        yield _error(
            "no_assistant",
            "no assistant text in the row: it teaches nothing",
            "add the answer as a message with the role assistant",
            line,
            "messages",
        )
    if not any(m["role"] == "user" for m in messages):
        yield _error("no_user", "no user's message in the row", "add what is answered as role user", line, "messages")


def has_surrogate(text: str) -> bool:
    """Whether a text holds a lone surrogate, which no UTF-8 can carry."""
    return not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text)


def _other_format(row: dict[str, Any]) -> str:
    shapes = {
        ("conversations",): "this looks like ShareGPT",
        ("instruction", "output"): "this looks like Alpaca",
        ("prompt", "completion"): "this looks like prompt/completion pairs",
        ("prompt", "response"): "this looks like prompt/response pairs",
        ("chosen", "rejected"): "this looks like preference pairs",
        ("contents",): "this looks like Gemini's format",
        ("text",): "this looks like templated text",
    }
    name = next((told for keys, told in shapes.items() if all(key in row for key in keys)), "")
    return (name + ": " if name else "") + 'write {"messages": [{"role": "user", …}, {"role": "assistant", …}]}'


def _kind(value: Any) -> str:
    names: dict[type, str] = {
        dict: "an object",
        list: "a list",
        str: "a text",
        bool: "true or false",
        int: "a number",
        float: "a number",
    }
    return "null" if value is None else names.get(type(value), "something else")


def _error(code: str, message: str, fix: str, line: int, field: str | None = None) -> Finding:
    return Finding(code=code, severity="error", message=message, fix=fix, line=line, field=field)
