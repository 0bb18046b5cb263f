"""Every rule of the checker as a table: what it is called, how bad it is, why it is there, how to mend it, an example.

`docs/dataset-rules.md` is this table. An error is what `chat_completion_pipeline` fails on or silently loses and
OpenAI's chat format does not allow; a warning is what droptune mends in the snapshot, or what training will do that a
reader would not expect (sources: AZUREML_CONTRACT section 1 "Data format"; RELIABILITY section 4; OpenAI's
"Supervised fine-tuning" guide, "Formatting your data").
"""

from __future__ import annotations

from dataclasses import dataclass

from shared.datasets.findings import Excerpt, Finding

CHAT = '{"messages": [{"role": "user", "content": "…"}, {"role": "assistant", "content": "…"}]}'
LOADER = "The pipeline's loader (HF datasets) stops at it, hours later and without a line number."
DROPPED = "The pipeline drops it silently."
TEMPLATE = "Phi-3's chat template leaves it out without an error."
LOADED = "The pipeline's loader would fail on it; the snapshot that trains is written anew."
NOTHING = "Nothing to do: the snapshot is clean."


@dataclass(frozen=True)
class Rule:
    """One rule; `example` is a line (or the start of a file) that breaks it, for the documentation."""

    severity: str
    what: str
    why: str
    mend: str
    example: str


def _e(what: str, why: str, mend: str, example: str) -> Rule:
    return Rule("error", what, why, mend, example)


def _w(what: str, why: str, mend: str, example: str) -> Rule:
    return Rule("warning", what, why, mend, example)


_LINES = {
    "invalid_utf8": _e("bytes that are no UTF-8", LOADER, "Save the file as UTF-8.", '{"messages": "caf\\xe9"}'),
    "nul_byte": _e("a NUL byte", LOADER, "Write the file anew as UTF-8, without NUL bytes.", '{"messages": "\\x00"}'),
    "lone_surrogate": _e(
        "half a character (a lone surrogate)",
        LOADER,
        "Write the whole character, or leave it out.",
        r'"content": "\ud83d"',
    ),
    "control_character": _e(
        "a raw control character in a text", LOADER, r"Write it as an escape: \n, \t or \u00XX.", '"content": "a<TAB>b"'
    ),
    "trailing_comma": _e("a comma before a closing bracket", LOADER, "Take the comma out.", '{"messages": [],}'),
    "single_quotes": _e(
        "single quotes instead of double ones",
        LOADER,
        "Write it with a JSON library: json.dumps(row).",
        "{'messages': []}",
    ),
    "python_literal": _e(
        "a Python word (None, True, False, NaN) that JSON does not know",
        LOADER,
        "Write null, true or false: json.dumps(row) does.",
        '{"messages": None}',
    ),
    "two_objects": _e("more than one object on a line", LOADER, "Write each object on a line of its own.", "{…} {…}"),
    "truncated_line": _e(
        "a line that ends in mid-object", LOADER, "Write the line to its end.", '{"messages": [{"role'
    ),
    "invalid_json": _e(
        "a line that is no JSON",
        LOADER,
        "Write one complete JSON object on the line.",
        '{"messages": [}',
    ),
    "line_too_long": _e(
        "a line above 16 MB", "No context window holds it.", "Split the conversation.", '{"messages": [… 16 MB …]}'
    ),
    "too_deep": _e(
        "brackets nested more than 200 deep", "JSON readers give up on it.", "Take the nested value out.", '{"x": [[[[…'
    ),
    "row_not_object": _e("a line that holds no object", LOADER, f"Write {CHAT}.", "[1, 2]"),
}

_ROWS = {
    "messages_missing": _e("a row without a list `messages`", LOADER, f"Write {CHAT}.", '{"text": "hello"}'),
    "messages_too_few": _e(
        "fewer than two messages",
        DROPPED,
        "Give each row a user's message and an assistant's answer.",
        '{"messages": []}',
    ),
    "message_not_object": _e("a message that is no object", LOADER, 'Write {"role": …, "content": …}.', '["hello"]'),
    "role_missing": _e(
        "a message without a role", LOADER, "Use system, user, assistant or tool.", '{"content": "hello"}'
    ),
    "role_unknown": _e(
        "a role that is none of system, user, assistant, tool",
        TEMPLATE,
        "Use system, user, assistant or tool, in lower case.",
        '{"role": "human", "content": "hello"}',
    ),
    "content_not_text": _e(
        "content that is no text", LOADER, "Write the text as a string.", '{"role": "user", "content": null}'
    ),
    "content_parts": _e(
        "content that is a list of parts",
        "The pipeline trains text alone, and one schema holds for all rows.",
        "Write the text as one string (droptune convert joins text parts); images cannot train.",
        '"content": [{"type": "image_url", …}]',
    ),
    "tool_calls_invalid": _e(
        "tool calls that are not in OpenAI's shape",
        "One schema holds for all rows: the loader fails where it differs.",
        'Write [{"id": "…", "type": "function", "function": {"name": "…", "arguments": "{…}"}}].',
        '"tool_calls": "search"',
    ),
    "tools_invalid": _e(
        "tools that are no list of objects",
        "One schema holds for all rows: the loader fails where it differs.",
        'Write [{"type": "function", "function": {…}}], or leave `tools` out.',
        '{"messages": […], "tools": "search"}',
    ),
    "no_assistant": _e(
        "a row without any assistant text",
        "Loss is reckoned on assistant tokens alone: the row teaches nothing.",
        "Add the answer as a message with the role assistant.",
        '{"messages": [{"role": "system", …}, {"role": "user", …}]}',
    ),
    "no_user": _e(
        "a row without a user's message",
        "The pipeline ignores rows without both a user's and an assistant's turn.",
        "Add what is answered as a message with the role user.",
        '{"messages": [{"role": "system", …}, {"role": "assistant", …}]}',
    ),
}

_FILES = {
    "empty_file": _e("a file without any row", LOADER, "Write one conversation a line.", ""),
    "not_jsonl": _e(
        "a file that is something else than its name says",
        "The loader guesses by content, and trains on what it guessed.",
        "Convert it: droptune convert FILE -o OUT.jsonl",
        "PAR1…",
    ),
    "broken_container": _e(
        "a compressed file, array or Parquet file that cannot be read to its end",
        "Half a file would train.",
        "Write the file anew.",
        "[{…}, {…}",
    ),
    "other_format": _e(
        "rows of another chat format",
        "The pipeline knows `messages` alone.",
        "Convert it: droptune convert FILE -o OUT.jsonl",
        '{"conversations": [{"from": "human", "value": "…"}]}',
    ),
    "too_few_rows": _e(
        "fewer than 10 rows to train on after the split",
        "The pipeline refuses to train on fewer than 10.",
        "Add conversations, or give test and validation files of their own.",
        "",
    ),
    "pii_rejected": _e(
        "personal data or secrets, where `pii` is set to reject",
        "What is trained can be asked for.",
        "Take them out or replace them.",
        "",
    ),
}

_MENDED = {
    "bom": _w("a byte order mark", LOADED, NOTHING, "\\xef\\xbb\\xbf{…}"),
    "crlf": _w("line ends of Windows", "They are no part of the rows.", NOTHING, "{…}\\r\\n"),
    "blank_line": _w("blank lines", LOADED, NOTHING, ""),
    "extra_columns": _w("columns other than `messages` and `tools`", DROPPED, NOTHING, '{"id": 7, "messages": […]}'),
    "extra_message_keys": _w(
        "keys of messages that no chat template reads",
        "The loader fails where they come up late in the file.",
        NOTHING,
        '{"role": "user", "content": "…", "created": 1700000000}',
    ),
    "duplicate_keys": _w(
        "a key that stands twice in an object", LOADED + " The last one counts.", NOTHING, '{"a": 1, "a": 2}'
    ),
    "content_of_calls": _w(
        "tool calls without content",
        "Phi-3's chat template fails on a missing content; the snapshot has an empty one.",
        NOTHING,
        '{"role": "assistant", "content": null, "tool_calls": […]}',
    ),
    "arguments_not_text": _w(
        "arguments of a tool call as an object",
        "OpenAI's format has them as a text of JSON, and the loader wants one schema; the snapshot has the text.",
        NOTHING,
        '"arguments": {"city": "Rome"}',
    ),
    "one_row_twice": _w(
        "a side of a single row that has tools",
        "The loader takes tools as they come from the second row on: the row stands twice.",
        "Nothing to do; more rows train better.",
        "",
    ),
    "tools_mixed": _w(
        "`tools` in some rows only",
        "The pipeline drops the rows that lack them; the snapshot has none.",
        "Give all rows their tools, or none.",
        "",
    ),
}

_TOLD = {
    "rows_alike": _w(
        "rows that are all alike",
        "A side would be empty: it shares a row with the training side.",
        "Add rows that differ.",
        "",
    ),
    "duplicate_rows": _w(
        "rows that stand more than once", "They count more than once in training.", "Leave each row in once.", ""
    ),
    "test_row_in_training": _w(
        "rows of the test or validation file that stand in the training data",
        "The model has seen them: its score on them says nothing.",
        "Take them out of the dataset.",
        "",
    ),
    "row_too_long": _w(
        "rows longer than the base model's context",
        "The pipeline cuts them there: what comes after teaches nothing.",
        "Split long conversations, or choose a base model with a longer context.",
        "",
    ),
    "answer_cut_off": _w(
        "rows whose first answer begins beyond the base model's context",
        "They are cut before any assistant text: they teach nothing.",
        "Shorten what stands before the answer.",
        "",
    ),
    "empty_message": _w(
        "messages without text",
        "They are trained as they stand.",
        "Leave such messages out.",
        '{"role": "user", "content": ""}',
    ),
    "tool_messages": _w(
        "messages of the role tool", TEMPLATE, "Choose a base model whose template knows tools.", '{"role": "tool", …}'
    ),
    "last_not_assistant": _w(
        "rows that end with another role than assistant",
        "What stands after the last answer teaches nothing.",
        "End each row with the answer.",
        "",
    ),
    "system_not_first": _w(
        "a system message that is not the first message",
        "Some base models refuse it (system_role_supported in their finetune config).",
        "Put the system message first, once.",
        "",
    ),
    "not_alternating": _w(
        "two messages of the same role in a row",
        "Phi-3's template takes it; those of Mistral and Llama 2 raise an error.",
        "Join them, or put the answer between.",
        "",
    ),
    "pii": _w(
        "personal data or secrets",
        "What is trained can be asked for.",
        "Take them out or replace them; [checks] pii in droptune.toml says whether that rejects.",
        "",
    ),
}

_PARTS = {
    "Lines that cannot be read": _LINES,
    "Rows that cannot train": _ROWS,
    "Files as a whole": _FILES,
    "Mended in the snapshot": _MENDED,
    "What a reader would not expect": _TOLD,
}
PARTS: dict[str, dict[str, Rule]] = _PARTS
RULES: dict[str, Rule] = {code: rule for part in _PARTS.values() for code, rule in part.items()}


def found(
    code: str,
    message: str,
    line: int | None = None,
    field: str | None = None,
    *,
    fix: str = "",
    excerpt: Excerpt | None = None,
) -> Finding:
    """A finding of a rule; its mend is the rule's own where none is given."""
    rule = RULES[code]
    return Finding(code, rule.severity, message, fix or rule.mend, line, field, excerpt=excerpt)
