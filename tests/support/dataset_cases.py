"""What people drop, and what they are told: a line each."""

from __future__ import annotations

import gzip
import json
from typing import Any


def row(number: int, **more: object) -> bytes:
    messages = [{"role": "user", "content": f"q{number}"}, {"role": "assistant", "content": f"a{number}"}]
    return json.dumps({"messages": messages, **more}).encode()


ROWS = [row(number) for number in range(40)]
GOOD = b"\n".join(ROWS) + b"\n"
CALL = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}


def with_line(line: bytes) -> bytes:
    return GOOD + line + b"\n"


def messages(*pairs: tuple[object, object]) -> bytes:
    return json.dumps({"messages": [{"role": role, "content": content} for role, content in pairs]}).encode()


def turn(**message: object) -> bytes:
    return json.dumps({"messages": [{"role": "user", "content": "q"}, {"role": "assistant", **message}]}).encode()


# what is dropped: (bytes, code, line, what is marked)
ERRORS: dict[str, tuple[bytes, str, int | None, str | None]] = {
    "a broken line": (with_line(b'{"messages": [}'), "invalid_json", 41, "}"),
    "an invalid escape": (with_line(rb'{"messages": "\x"}'), "invalid_json", 41, None),
    "a trailing comma in an object": (with_line(b'{"messages": [],}'), "trailing_comma", 41, ","),
    "a trailing comma in a list": (with_line(b'{"messages": [1, ]}'), "trailing_comma", 41, ","),
    "single quotes": (with_line(b"{'messages': []}"), "single_quotes", 41, "'"),
    "None": (with_line(b'{"messages": None}'), "python_literal", 41, "None"),
    "True": (with_line(b'{"messages": True}'), "python_literal", 41, "True"),
    "NaN in a column that is left out": (with_line(b'{"x": NaN, ' + ROWS[0][1:]), "python_literal", 41, "NaN"),
    "two objects on a line": (with_line(ROWS[0] + b" " + ROWS[1]), "two_objects", 41, "{"),
    "two objects without a space": (with_line(ROWS[0] + ROWS[1]), "two_objects", 41, "{"),
    "a comma after the object": (with_line(ROWS[0] + b","), "invalid_json", 41, None),
    "a truncated last line": (GOOD + ROWS[0][:30], "truncated_line", 41, None),
    "a last line cut in a word": (GOOD + b'{"messages": nul', "invalid_json", 41, None),
    "no UTF-8": (with_line(b'{"messages": "\xff"}'), "invalid_utf8", 41, None),
    "no UTF-8 in a column that is left out": (with_line(b'{"x": "\xff", ' + ROWS[0][1:]), "invalid_utf8", 41, None),
    "no UTF-8 in the name of a column": (with_line(b'{"\xff": 1, ' + ROWS[0][1:]), "invalid_utf8", 41, None),
    "a surrogate in UTF-8": (
        with_line(messages(("user", "@"), ("assistant", "a")).replace(b"@", b"\xed\xa0\x80")),
        "invalid_utf8",
        41,
        None,
    ),
    "a NUL byte": (with_line(b'{"messages": "\x00"}'), "nul_byte", 41, None),
    "a tail of NUL bytes": (GOOD + b"\x00" * 100, "nul_byte", 41, None),
    "a raw tab in a text": (with_line(ROWS[0].replace(b"q0", b"q\t0")), "control_character", 41, None),
    "a lone surrogate": (with_line(turn(content="@").replace(b"@", rb"\ud83d")), "lone_surrogate", 41, r"\ud83d"),
    "a lone low surrogate": (with_line(turn(content="@").replace(b"@", rb"\ude00")), "lone_surrogate", 41, r"\ude00"),
    "no object": (with_line(b"3"), "row_not_object", 41, None),
    "a list on a line": (with_line(b"[1]"), "row_not_object", 41, None),
    "a hundred thousand brackets": (with_line(b'{"x": ' + b"[" * 100_000), "too_deep", 41, None),
    "deep and closed": (with_line(b'{"x": ' + b"[" * 300 + b"]" * 300 + b"," + ROWS[0][1:]), "too_deep", 41, None),
    "a line above 16 MB": (with_line(turn(content="a" * 16_800_000)), "line_too_long", 41, None),
    "no messages": (with_line(b'{"rows": []}'), "messages_missing", 41, None),
    "messages that are a text": (with_line(b'{"messages": "hi"}'), "messages_missing", 41, '"hi"'),
    "messages that are null": (with_line(b'{"messages": null}'), "messages_missing", 41, "null"),
    "no message": (with_line(b'{"messages": []}'), "messages_too_few", 41, "[]"),
    "one message": (with_line(messages(("user", "q"))), "messages_too_few", 41, None),
    "a message that is none": (with_line(b'{"messages": ["hi", "ho"]}'), "message_not_object", 41, '"hi"'),
    "an unknown role": (with_line(messages(("human", "q"), ("assistant", "a"))), "role_unknown", 41, '"human"'),
    "a role in upper case": (with_line(messages(("User", "q"), ("assistant", "a"))), "role_unknown", 41, '"User"'),
    "a role with a space": (with_line(messages((" user", "q"), ("assistant", "a"))), "role_unknown", 41, '" user"'),
    "a role that is a number": (with_line(messages((1, "q"), ("assistant", "a"))), "role_missing", 41, "1"),
    "a role that is a list": (with_line(messages(([], "q"), ("assistant", "a"))), "role_missing", 41, "[]"),
    "no role": (
        with_line(b'{"messages": [{"content": "q"}, {"role": "user", "content": ""}]}'),
        "role_missing",
        41,
        None,
    ),
    "content in parts": (with_line(messages(("user", []), ("assistant", "a"))), "content_parts", 41, "[]"),
    "an image": (with_line(messages(("user", [{"type": "image_url"}]), ("assistant", "a"))), "content_parts", 41, None),
    "content that is null": (with_line(messages(("user", None), ("assistant", "a"))), "content_not_text", 41, "null"),
    "content that is a number": (with_line(messages(("user", 7), ("assistant", "a"))), "content_not_text", 41, "7"),
    "no content": (
        with_line(b'{"messages": [{"role": "user"}, {"role": "assistant", "content": "a"}]}'),
        "content_not_text",
        41,
        None,
    ),
    "tool calls that are a text": (with_line(turn(content="", tool_calls="f")), "tool_calls_invalid", 41, '"f"'),
    "a tool call without a name": (
        with_line(turn(content="", tool_calls=[{"id": "1"}])),
        "tool_calls_invalid",
        41,
        None,
    ),
    "a number above 64 bits in tools": (with_line(row(99, tools=[{"n": 2**64}])), "tools_invalid", 41, None),
    "a NUL in a name in tools": (with_line(row(99, tools=[{"a\0b": 1}])), "tools_invalid", 41, None),
    "a name [] in tools": (with_line(row(99, tools=[{"f": {"[]": 1}}])), "tools_invalid", 41, None),
    "tools that are a text": (with_line(row(99, tools="f")), "tools_invalid", 41, '"f"'),
    "no assistant": (with_line(messages(("system", "s"), ("user", "q"))), "no_assistant", 41, None),
    "an assistant without text": (with_line(messages(("user", "q"), ("assistant", ""))), "no_assistant", 41, None),
    "an assistant that says spaces": (
        with_line(messages(("user", "q"), ("assistant", " \n"))),
        "no_assistant",
        41,
        None,
    ),
    "no user": (with_line(messages(("system", "s"), ("assistant", "a"))), "no_user", 41, None),
    "an empty file": (b"", "empty_file", None, None),
    "a BOM alone": (b"\xef\xbb\xbf", "empty_file", None, None),
    "blank lines alone": (b"\n \r\n\n", "empty_file", None, None),
    "a JSON array": (b"[" + b",".join(ROWS) + b"]", "not_jsonl", None, None),
    "a JSON array after a BOM": (b"\xef\xbb\xbf[\n" + b",\n".join(ROWS) + b"]", "not_jsonl", None, None),
    "gzip": (gzip.compress(GOOD), "not_jsonl", None, None),
    "a zip archive": (b"PK\x03\x04rest", "not_jsonl", None, None),
    "Parquet": (b"PAR1rest", "not_jsonl", None, None),
    "UTF-16": (GOOD.decode().encode("utf-16"), "not_jsonl", None, None),
    "UTF-16 without a BOM": (GOOD.decode().encode("utf-16-le"), "not_jsonl", None, None),
    "CSV": (b"prompt,completion\nhello,world\nhi,there\n", "not_jsonl", None, None),
    "ShareGPT": (
        b'{"conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}]}\n' * 20,
        "other_format",
        1,
        None,
    ),
    "Alpaca": (b'{"instruction": "q", "input": "", "output": "a"}\n' * 20, "other_format", 1, None),
    "prompt and completion": (b'{"prompt": "q", "completion": "a"}\n' * 20, "other_format", 1, None),
    "templated text": (b'{"text": "<|user|>\\nq<|end|>\\n<|assistant|>\\na<|end|>"}\n' * 20, "other_format", 1, None),
    "too few rows": (b"\n".join(ROWS[:5]), "too_few_rows", None, None),
}

TOLD: dict[str, tuple[bytes, str, int | None]] = {
    "a BOM": (b"\xef\xbb\xbf" + GOOD, "bom", 1),
    "CRLF": (GOOD.replace(b"\n", b"\r\n"), "crlf", 1),
    "blank lines": (GOOD.replace(b"\n", b"\n\n"), "blank_line", 2),
    "a blank line at the end": (GOOD + b"  \n", "blank_line", 41),
    "other columns": (with_line(row(99, id=7)), "extra_columns", 41),
    "a number that is too big in a column that is left out": (
        with_line(b'{"x": 1e999, ' + ROWS[0][1:].replace(b"q0", b"x")),
        "extra_columns",
        41,
    ),
    "tools in some rows": (with_line(row(99, tools=[{"type": "function"}])), "tools_mixed", None),
    "a key twice": (with_line(b'{"messages": 1, ' + row(99)[1:]), "duplicate_keys", 41),
    "a key twice in a message": (
        with_line(row(99).replace(b'"content"', b'"content": "x", "content"', 1)),
        "duplicate_keys",
        41,
    ),
    "keys that no template reads": (with_line(turn(content="a", weight=1)), "extra_message_keys", 41),
    "tool calls without content": (with_line(turn(content=None, tool_calls=[CALL])), "content_of_calls", 41),
    "arguments as an object": (
        with_line(turn(content="", tool_calls=[{"function": {"name": "f", "arguments": {"a": 1}}}])),
        "arguments_not_text",
        41,
    ),
    "a row twice": (with_line(ROWS[3]), "duplicate_rows", 41),
    "a row twice, written otherwise": (
        with_line(json.dumps(json.loads(ROWS[3]), indent=None, separators=(",", ":")).encode()),
        "duplicate_rows",
        41,
    ),
    "an empty question": (with_line(messages(("user", ""), ("assistant", "a"))), "empty_message", 41),
    "a tool's message": (with_line(messages(("user", "q"), ("tool", "t"), ("assistant", "a"))), "tool_messages", 41),
    "a question at the end": (
        with_line(messages(("user", "q"), ("assistant", "a"), ("user", "q"))),
        "last_not_assistant",
        41,
    ),
    "a late system message": (
        with_line(messages(("user", "q"), ("system", "s"), ("assistant", "a"))),
        "system_not_first",
        41,
    ),
    "two questions in a row": (
        with_line(messages(("user", "q"), ("user", "q"), ("assistant", "a"))),
        "not_alternating",
        41,
    ),
    "a long answer": (with_line(messages(("user", "q"), ("assistant", "word " * 9000))), "row_too_long", 41),
    "an e-mail address": (with_line(messages(("user", "q"), ("assistant", "ask ann.lee@contoso.com"))), "pii", 41),
}

NAMED: dict[str, tuple[str, Any]] = {
    "gzip": ("chats.jsonl.gz", gzip.compress(GOOD)),
    "an array": ("chats.json", b"[\n  " + b",\n  ".join(ROWS) + b"\n]\n"),
}
