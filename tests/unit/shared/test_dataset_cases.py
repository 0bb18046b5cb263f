"""The checker's verdicts as a table: what people drop, and what they are told."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from pathlib import Path

import pytest

from shared.datasets.check import Verdict, check
from shared.datasets.config import Config, parse
from shared.datasets.findings import LISTED


def row(number: int, **more: object) -> bytes:
    messages = [{"role": "user", "content": f"q{number}"}, {"role": "assistant", "content": f"a{number}"}]
    return json.dumps({"messages": messages, **more}).encode()


ROWS = [row(number) for number in range(40)]
GOOD = b"\n".join(ROWS) + b"\n"


def with_line(line: bytes) -> bytes:
    return GOOD + line + b"\n"


def messages(*pairs: tuple[object, object]) -> bytes:
    return json.dumps({"messages": [{"role": role, "content": content} for role, content in pairs]}).encode()


def judge(data: bytes | Iterable[bytes], folder: Path, **companions: bytes) -> Verdict:
    chunks = [data] if isinstance(data, bytes) else data
    files = {"dataset": chunks, **{role: [content] for role, content in companions.items()}}
    return check(files, Config(), [], folder)


ERRORS = {
    "a broken line": (with_line(b'{"messages": [}'), "invalid_json", 41),
    "a trailing comma": (with_line(b'{"messages": [],}'), "invalid_json", 41),
    "no UTF-8": (with_line(b'{"messages": "\xff"}'), "invalid_utf8", 41),
    "a NUL byte": (with_line(b'{"messages": "\x00"}'), "nul_byte", 41),
    "a lone surrogate": (with_line(rb'{"messages": "\ud800"}'), "invalid_json", 41),
    "no object": (with_line(b"3"), "row_not_object", 41),
    "no messages": (with_line(b'{"conversations": []}'), "messages_missing", 41),
    "messages that are a text": (with_line(b'{"messages": "hi"}'), "messages_missing", 41),
    "one message": (with_line(messages(("user", "q"))), "messages_too_few", 41),
    "a message that is none": (with_line(b'{"messages": ["hi", "ho"]}'), "message_not_object", 41),
    "an unknown role": (with_line(messages(("human", "q"), ("assistant", "a"))), "role_unknown", 41),
    "a role that is a number": (with_line(messages((1, "q"), ("assistant", "a"))), "role_missing", 41),
    "a role that is a list": (with_line(messages(([], "q"), ("assistant", "a"))), "role_missing", 41),
    "content in parts": (with_line(messages(("user", []), ("assistant", "a"))), "content_parts", 41),
    "content that is null": (with_line(messages(("user", None), ("assistant", "a"))), "content_not_text", 41),
    "no assistant": (with_line(messages(("system", "s"), ("user", "q"))), "no_assistant", 41),
    "an assistant without text": (with_line(messages(("user", "q"), ("assistant", ""))), "no_assistant", 41),
    "no user": (with_line(messages(("system", "s"), ("assistant", "a"))), "no_user", 41),
    "an empty file": (b"", "empty_file", None),
    "blank lines alone": (b"\n \r\n\n", "empty_file", None),
    "a JSON array": (b"[" + b",".join(ROWS) + b"]", "not_jsonl", None),
    "a JSON array after a BOM": (b"\xef\xbb\xbf[\n" + b",\n".join(ROWS) + b"]", "not_jsonl", None),
    "gzip": (gzip.compress(GOOD), "not_jsonl", None),
    "a zip archive": (b"PK\x03\x04rest", "not_jsonl", None),
    "Parquet": (b"PAR1rest", "not_jsonl", None),
    "UTF-16": (GOOD.decode().encode("utf-16"), "not_jsonl", None),
    "UTF-16 without a BOM": (GOOD.decode().encode("utf-16-le"), "nul_byte", 1),
    "too few rows": (b"\n".join(ROWS[:5]), "too_few_rows", None),
}

MENDED = {
    "a BOM": (b"\xef\xbb\xbf" + GOOD, "bom"),
    "CRLF": (GOOD.replace(b"\n", b"\r\n"), "crlf"),
    "blank lines": (GOOD.replace(b"\n", b"\n\n"), "blank_line"),
    "other columns": (with_line(row(99, id=7)), "extra_columns"),
    "tools in some rows": (with_line(row(99, tools=[{"type": "function"}])), "tools_mixed"),
}


@pytest.mark.parametrize(("data", "code", "line"), ERRORS.values(), ids=ERRORS.keys())
def test_what_cannot_train_is_refused_with_line_and_mend(
    data: bytes, code: str, line: int | None, tmp_path: Path
) -> None:
    verdict = judge(data, tmp_path)
    assert not verdict.accepted
    found = next(finding for finding in verdict.findings if finding.code == code)
    assert (found.severity, found.line) == ("error", line)
    assert found.message
    assert found.fix
    assert not list(tmp_path.iterdir())
    assert verdict.digest == ""


@pytest.mark.parametrize(("data", "code"), MENDED.values(), ids=MENDED.keys())
def test_what_can_be_mended_is_mended_and_told(data: bytes, code: str, tmp_path: Path) -> None:
    verdict = judge(data, tmp_path)
    assert verdict.accepted
    assert [(finding.code, finding.severity) for finding in verdict.findings] == [(code, "warning")]
    lines = b"".join(path.read_bytes() for path in tmp_path.iterdir()).splitlines()
    assert len(lines) == verdict.rows
    assert all(json.loads(line).keys() == {"messages"} for line in lines)


def test_bom_crlf_and_blank_lines_do_not_change_what_trains(tmp_path: Path) -> None:
    odd = b"\xef\xbb\xbf\r\n" + GOOD.replace(b"\n", b"\r\n\n")
    assert judge(odd, tmp_path).digest == judge(GOOD, tmp_path).digest


def test_tools_stay_where_all_rows_have_them(tmp_path: Path) -> None:
    data = b"\n".join(row(number, tools=[{"type": "function"}]) for number in range(40))
    assert judge(data, tmp_path).accepted
    assert all("tools" in json.loads(line) for line in (tmp_path / "train.jsonl").read_text().splitlines())


def test_a_tool_call_needs_no_content(tmp_path: Path) -> None:
    call = {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]}
    line = json.dumps({"messages": [{"role": "user", "content": "q"}, call]}).encode()
    assert judge(with_line(line), tmp_path).accepted


def test_an_unknown_role_is_told_the_likely_one(tmp_path: Path) -> None:
    verdict = judge(with_line(messages(("human", "q"), ("gpt", "a"))), tmp_path)
    assert [(f.field, f.fix) for f in verdict.findings] == [
        ("messages[0].role", 'write "user"'),
        ("messages[1].role", 'write "assistant"'),
    ]


def test_companions_are_the_sides_and_nothing_is_split_off_for_them(tmp_path: Path) -> None:
    verdict = judge(GOOD, tmp_path, test=row(100), validation=row(101) + b"\n" + row(102))
    assert verdict.accepted
    assert verdict.counts == {"train": 40, "validation": 2, "test": 1}


@pytest.mark.parametrize("content", [b"", b"\n\n", b"[]"])
def test_a_companion_without_rows_is_refused_by_its_name(content: bytes, tmp_path: Path) -> None:
    verdict = judge(GOOD, tmp_path, test=content)
    assert not verdict.accepted
    assert verdict.findings[0].file == "test.jsonl"


def test_all_rows_alike_still_give_three_sides(tmp_path: Path) -> None:
    verdict = judge(b"\n".join([ROWS[0]] * 20), tmp_path)
    assert all((tmp_path / f"{side}.jsonl").read_bytes() for side in ("train", "validation", "test"))
    assert {finding.code for finding in verdict.findings} == {"rows_alike"}


def test_many_findings_are_counted_and_each_kind_is_listed(tmp_path: Path) -> None:
    verdict = judge(b"3\n" * 300 + b"{\n" + GOOD, tmp_path)
    assert verdict.findings_total == 301
    assert len(verdict.findings) == LISTED
    assert {finding.code for finding in verdict.findings} == {"row_not_object", "invalid_json"}


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
    assert not check({"dataset": [GOOD]}, config, [finding], tmp_path).accepted


def test_a_good_droptune_toml_is_read_whole() -> None:
    data = b'\xef\xbb\xbfcompute = "c"\ntest_fraction = 0.2\n[parameters]\nx = 1\n[gate]\neval_loss_at_most = 2\n'
    config, findings = parse(data)
    assert findings == []
    assert (config.compute, config.test_fraction, config.parameters) == ("c", 0.2, {"x": 1})
    assert config.gate.eval_loss_at_most == 2.0
