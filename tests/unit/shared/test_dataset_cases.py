"""The checker's verdicts as a table: what people drop, and what they are told."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from folder_sink import judge

from shared.datasets.check import Terms
from shared.datasets.config import parse
from shared.datasets.findings import LISTED
from shared.datasets.rulebook import RULES
from shared.datasets.sources import Bytes


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


@pytest.mark.parametrize(("data", "code", "line", "marked"), ERRORS.values(), ids=ERRORS.keys())
def test_what_cannot_train_is_refused_with_line_and_mend(
    data: bytes, code: str, line: int | None, marked: str | None, tmp_path: Path
) -> None:
    verdict = judge(data, tmp_path)
    assert not verdict.accepted
    assert {finding.code for finding in verdict.findings if finding.severity == "error"} == {code}
    found = next(finding for finding in verdict.findings if finding.code == code)
    assert (found.severity, found.line) == ("error", line)
    assert found.message
    assert found.fix
    assert marked is None or (found.excerpt and found.excerpt.marked == marked)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("data", "code", "line"), TOLD.values(), ids=TOLD.keys())
def test_what_can_be_mended_or_is_odd_is_accepted_and_told(
    data: bytes, code: str, line: int | None, tmp_path: Path
) -> None:
    verdict = judge(data, tmp_path)
    assert verdict.accepted
    found = {(finding.code, finding.severity): finding.line for finding in verdict.findings}
    assert found[(code, "warning")] == line
    lines = b"".join(path.read_bytes() for path in tmp_path.iterdir()).splitlines()
    assert len(lines) == verdict.rows == sum(verdict.counts.values())
    assert all(json.loads(line).keys() == {"messages"} for line in lines)


def test_an_object_over_two_lines_is_told_on_both(tmp_path: Path) -> None:
    verdict = judge(with_line(ROWS[0].replace(b", ", b",\n", 1)), tmp_path)
    assert [(f.code, f.line) for f in verdict.findings] == [("truncated_line", 41), ("invalid_json", 42)]


def test_every_rule_about_lines_and_rows_has_a_case() -> None:
    tested = {case[1] for case in (*ERRORS.values(), *TOLD.values())}
    elsewhere = {"rows_alike", "answer_cut_off", "test_row_in_training", "pii_rejected", "broken_container"}
    assert set(RULES) - tested == elsewhere


def test_a_good_file_has_no_findings(tmp_path: Path) -> None:
    verdict = judge(GOOD, tmp_path)
    assert verdict.accepted
    assert verdict.findings == []


def test_bom_crlf_and_blank_lines_do_not_change_what_trains(tmp_path: Path) -> None:
    odd = b"\xef\xbb\xbf\r\n" + GOOD.replace(b"\n", b"\r\n\n")

    def snapshot(data: bytes) -> dict[str, bytes]:
        judge(data, tmp_path)
        return {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    assert snapshot(odd) == snapshot(GOOD)


def test_the_snapshot_is_compact_and_has_roles_before_contents(tmp_path: Path) -> None:
    judge(
        b"\n".join(
            json.dumps(
                {
                    "id": 1,
                    "messages": [{"content": "\u00e9", "role": "user"}, {"content": f"a{n}", "role": "assistant"}],
                }
            ).encode()
            for n in range(40)
        ),
        tmp_path,
    )
    line = (tmp_path / "train.jsonl").read_bytes().splitlines()[1].decode()
    assert line.startswith('{"messages":[{"role":"user","content":"é"},{"role":"assistant","content":"a')


def test_tools_stay_where_all_rows_have_them(tmp_path: Path) -> None:
    data = b"\n".join(row(number, tools=[{"type": "function"}]) for number in range(40))
    assert judge(data, tmp_path).accepted
    assert all("tools" in json.loads(line) for line in (tmp_path / "train.jsonl").read_text().splitlines())


def test_a_tool_call_gets_an_empty_content(tmp_path: Path) -> None:
    assert judge(with_line(turn(content=None, tool_calls=[CALL])), tmp_path).accepted
    lines = b"".join(path.read_bytes() for path in tmp_path.iterdir()).splitlines()
    call = next(json.loads(line)["messages"][1] for line in lines if b"tool_calls" in line)
    assert call == {"role": "assistant", "content": "", "tool_calls": [CALL]}


def test_an_unknown_role_is_told_the_likely_one(tmp_path: Path) -> None:
    verdict = judge(with_line(messages(("human", "q"), ("gpt", "a"))), tmp_path)
    assert [(f.field, f.fix) for f in verdict.findings] == [
        ("messages[0].role", 'Write "user".'),
        ("messages[1].role", 'Write "assistant".'),
    ]


def test_companions_are_the_sides_and_nothing_is_split_off_for_them(tmp_path: Path) -> None:
    verdict = judge(GOOD, tmp_path, test=row(100), validation=row(101) + b"\n" + row(102))
    assert verdict.accepted
    assert verdict.counts == {"train": 40, "validation": 2, "test": 1}


def test_a_test_row_that_is_trained_on_is_told_with_its_line(tmp_path: Path) -> None:
    verdict = judge(GOOD, tmp_path, test=row(100) + b"\n" + row(7))
    found = next(finding for finding in verdict.findings if finding.code == "test_row_in_training")
    assert (found.file, found.line, found.severity) == ("test.jsonl", 2, "warning")


@pytest.mark.parametrize("content", [b"", b"\n\n", b"[]"])
def test_a_companion_without_rows_is_refused_by_its_name(content: bytes, tmp_path: Path) -> None:
    verdict = judge(GOOD, tmp_path, test=content)
    assert not verdict.accepted
    assert verdict.findings[0].file == "test.jsonl"


@pytest.mark.parametrize("size", [1, 300_000])
def test_all_rows_alike_still_give_three_sides(size: int, tmp_path: Path) -> None:
    verdict = judge(b"\n".join([turn(content="a" * size)] * 20), tmp_path)
    assert verdict.accepted
    assert all((tmp_path / f"{side}.jsonl").read_bytes() for side in ("train", "validation", "test"))
    assert verdict.counts == {"train": 20, "validation": 1, "test": 1}
    assert "rows_alike" in {finding.code for finding in verdict.findings}


def test_an_answer_beyond_the_context_is_told(tmp_path: Path) -> None:
    verdict = judge(with_line(messages(("user", "word " * 9000), ("assistant", "a"))), tmp_path)
    assert {"row_too_long", "answer_cut_off"} <= {finding.code for finding in verdict.findings}


def test_personal_data_reject_where_that_is_wanted(tmp_path: Path) -> None:
    data = with_line(turn(content="write to ann.lee@contoso.com"))
    strict = judge(data, tmp_path, terms=Terms(pii="reject"))
    assert not strict.accepted
    assert [(f.code, f.line) for f in strict.findings] == [("pii_rejected", 41)]
    assert "contoso" not in str(strict.findings)
    assert judge(data, tmp_path, terms=Terms(pii="off")).findings == []


def test_many_findings_are_counted_and_each_kind_is_listed(tmp_path: Path) -> None:
    verdict = judge(GOOD + b"3\n" * 300 + b"{\n", tmp_path)
    assert verdict.findings_total == 301
    assert len(verdict.findings) == LISTED
    assert {(kind["code"], kind["count"]) for kind in verdict.kinds} == {("row_not_object", 300), ("truncated_line", 1)}


NAMED: dict[str, tuple[str, Any]] = {
    "gzip": ("chats.jsonl.gz", gzip.compress(GOOD)),
    "an array": ("chats.json", b"[\n  " + b",\n  ".join(ROWS) + b"\n]\n"),
}


@pytest.mark.parametrize(("name", "data"), NAMED.values(), ids=NAMED.keys())
def test_other_files_are_taken_by_their_name(name: str, data: bytes, tmp_path: Path) -> None:
    judge(GOOD, tmp_path)
    wanted = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert judge(Bytes(data, name), tmp_path).accepted
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == wanted


def test_a_broken_container_is_refused_whole(tmp_path: Path) -> None:
    verdict = judge(Bytes(gzip.compress(GOOD)[:-20], "chats.jsonl.gz"), tmp_path)
    assert not verdict.accepted
    assert [finding.code for finding in verdict.findings] == ["broken_container"]


CONFIGS = {
    "a typing error": (b'\nbase_modle = "x"', "config_unknown_key", 2, "base_modle", "base_model"),
    "a key of a table": (
        b"[gate]\neval_los_at_most = 1",
        "config_unknown_key",
        2,
        "gate.eval_los_at_most",
        "eval_loss",
    ),
    "a key near nothing": (b"zzzz = 1", "config_unknown_key", 1, "zzzz", "known are: base_model"),
    "a wrong kind": (b'\n\ntest_fraction = "a"', "config_invalid", 3, "test_fraction", "of that kind"),
    "a fraction too big": (b"validation_fraction = 0.5", "config_range", 1, "validation_fraction", "below 0.5"),
    "a fraction that is no number": (b"test_fraction = nan", "config_range", 1, "test_fraction", "below 0.5"),
    "endless money": (b"[budget]\nmax_cost_usd = inf", "config_range", 2, "budget.max_cost_usd", "USD"),
    "no money": (b"[budget]\nmax_cost_usd = 0", "config_range", 2, "budget.max_cost_usd", "USD"),
    "a gate that nothing passes": (b"[gate]\neval_loss_at_most = nan", "config_range", 2, "gate.eval_loss_at_most", ""),
    "no TOML": (b"a = 1\nb", "config_invalid", None, None, ""),
    "no UTF-8": (b"\xff", "config_invalid", None, None, ""),
    "a number too long": (b"compute = " + b"9" * 5000, "config_invalid", None, None, ""),
    "a nesting too deep": (b"compute = " + b"[" * 5000, "config_invalid", None, None, ""),
}


@pytest.mark.parametrize(("data", "code", "line", "field", "fix"), CONFIGS.values(), ids=CONFIGS.keys())
def test_a_bad_droptune_toml_is_told_with_line_and_nearest_key(
    data: bytes, code: str, line: int | None, field: str | None, fix: str, tmp_path: Path
) -> None:
    config, (finding,) = parse(data)
    assert (finding.code, finding.line, finding.field, finding.file) == (code, line, field, "droptune.toml")
    assert fix in finding.fix
    assert not judge(GOOD, tmp_path, config, [finding]).accepted


def test_a_good_droptune_toml_is_read_whole() -> None:
    data = b'\xef\xbb\xbfcompute = "c"\ntest_fraction = 0.2\n[parameters]\nx = 1\n[gate]\neval_loss_at_most = 2\n'
    config, findings = parse(data)
    assert findings == []
    assert (config.compute, config.test_fraction, config.parameters) == ("c", 0.2, {"x": 1})
    assert config.gate.eval_loss_at_most == 2.0
