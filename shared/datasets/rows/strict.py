"""One line, read with every rule: what the fast way does not take comes here, and is told what is wrong and where."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from shared.datasets.rows import excerpt, rules
from shared.datasets.rows.broken import why
from shared.datasets.rows.patterns import Pattern, pattern
from shared.datasets.rows.quotes import unescaped
from shared.datasets.rows.rules import Line, Raw, field, kind
from shared.datasets.rulebook import found

_object = msgspec.json.Decoder(dict[str, Raw]).decode
_messages = msgspec.json.Decoder(list[dict[str, Raw]]).decode
_list = msgspec.json.Decoder(list[Raw]).decode
_any = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode
_ORDERS = {
    "no_assistant": "no message of the assistant in the row: it teaches nothing",
    "no_user": "no message of the user in the row",
}
_ERRORS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Row(NamedTuple):
    """A row without errors: its roles and texts, and what the snapshot says of it.

    `is_plain` tells that its messages are nothing but roles and contents, as those that the fast way takes.
    """

    roles: tuple[str, ...]
    texts: list[str]
    clean: dict[str, Any]
    is_plain: bool
    has_tools: bool
    columns: list[str]


def read(line: Line, *, last: bool = False, keep_tools: bool = True) -> Row | None:
    """The row of a line, or None where it has errors: then they have been said.

    `last` tells that the file ends without a line end after it.
    """
    if rules.too_deep(line.data):
        line.error("too_deep", "brackets are nested more than 200 deep")
        return None
    try:
        line.data.decode()
        return _row(line, keep_tools)
    except msgspec.ValidationError as error:
        if not line.data.lstrip().startswith(b"{") and _is_json(line.data):
            line.error("row_not_object", f"the line holds {kind(line.data.lstrip())}, not an object")
        else:
            _broken(line, str(error), last)
    except _ERRORS as error:
        _broken(line, str(error), last)
    return None


def _is_json(data: bytes) -> bool:
    try:
        _any(data)
    except _ERRORS:
        return False
    return True


def _broken(line: Line, told: str, last: bool) -> None:
    broken = why(line.data, last=last)
    shown = excerpt.around(line.data, broken.start, broken.end) if line.wants(broken.code) else None
    message = told if broken.code == "invalid_json" and broken.end == 1 and broken.start == 0 else broken.message
    line.add(found(broken.code, message, line.number, excerpt=shown))


def _row(line: Line, keep_tools: bool) -> Row | None:
    top = _object(line.data)
    values = _message_values(top, line)
    if values is None:
        return None
    if unescaped(line.data) != _quotes(top, values):
        line.note("duplicate_keys", line.number)
    if any(key not in ("messages", "tools") for key in top):
        line.note("extra_columns", line.number)
    found_ones = [rules.message(value, ("messages", index), line) for index, value in enumerate(values)]
    messages = [message for message in found_ones if message is not None]
    tools = rules.tools(top["tools"], line) if "tools" in top else None
    wrong = len(messages) < len(found_ones) or (tools is None and _is_wrong(top.get("tools")))
    if wrong or not turns(pattern(tuple(message["role"] for message in messages)), messages, line):
        return None
    return _finish(messages, tools, keep_tools, list(top))


def _is_wrong(raw: Raw | None) -> bool:
    return raw is not None and bytes(raw) not in (b"null", b"[]", b'""')


def _finish(messages: list[dict[str, Any]], tools: list[Any] | None, keep_tools: bool, columns: list[str]) -> Row:
    clean: dict[str, Any] = {"messages": messages}
    if tools and keep_tools:
        clean["tools"] = tools
    is_plain = all(len(message) == 2 for message in messages)
    roles = tuple(message["role"] for message in messages)
    return Row(roles, [message["content"] for message in messages], clean, is_plain, bool(tools), columns)


def _message_values(top: dict[str, Raw], line: Line) -> list[dict[str, Raw]] | None:
    raw = top.get("messages")
    if raw is None or bytes(raw)[:1] != b"[":
        what = "the row has no `messages`" if raw is None else f"`messages` is {kind(raw)}, not a list"
        line.error("messages_missing", what, ("messages",) if raw is not None else ())
        return None
    try:
        values = _messages(raw)
    except msgspec.ValidationError:
        wrong = [(index, item) for index, item in enumerate(_list(raw)) if bytes(item)[:1] != b"{"]
        for index, item in wrong:
            place = ("messages", index)
            line.error("message_not_object", f"{field(place)} is {kind(item)}", place)
        return None
    if len(values) < 2:
        line.error(
            "messages_too_few", f"`messages` has {len(values)} message(s): the pipeline drops such a row", ("messages",)
        )
        return None
    return values


def _quotes(top: dict[str, Raw], values: list[dict[str, Raw]]) -> int:
    """How many quotes a line has where no key stands twice."""
    others = sum(2 + unescaped(bytes(raw)) for key, raw in top.items() if key != "messages")
    return 2 + others + sum(2 + unescaped(bytes(raw)) for value in values for raw in value.values())


def turns(order: Pattern, messages: list[dict[str, Any]], line: Line) -> bool:
    """Whether the row teaches anything; says why where it does not."""
    for code in order.errors:
        line.error(code, _ORDERS[code], ("messages",))
    if order.answers and not any(_says(messages[index]) for index in order.answers):
        line.error("no_assistant", "no assistant's message of the row has a text: it teaches nothing", ("messages",))
        return False
    return not order.errors


def _says(message: dict[str, Any]) -> bool:
    return bool(message["content"].strip() or message.get("tool_calls"))
