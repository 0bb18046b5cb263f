"""The checker's verdicts on the table of cases in `tests/support/dataset_cases.py`."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from dataset_cases import CALL, ERRORS, GOOD, NAMED, ROWS, TOLD, messages, row, turn, with_line
from folder_sink import judge

from shared.datasets.check import Terms
from shared.datasets.config import parse
from shared.datasets.findings import LISTED
from shared.datasets.rulebook import RULES
from shared.datasets.sources import Bytes


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
    elsewhere = {
        "one_row_twice",
        "rows_alike",
        "answer_cut_off",
        "test_row_in_training",
        "pii_rejected",
        "broken_container",
    }
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


def test_a_side_of_one_row_with_tools_has_it_twice(tmp_path: Path) -> None:
    data = b"\n".join(row(number, tools=[{"type": "function"}]) for number in range(40))
    verdict = judge(data, tmp_path, test=row(99, tools=[{"enum": [None, 1]}]))
    lines = [json.loads(line) for line in (tmp_path / "test.jsonl").read_bytes().splitlines()]
    assert verdict.counts["test"] == len(lines) == 2
    assert json.loads(lines[0]["tools"]) == lines[1]["tools"] == [{"enum": [None, 1]}]
    assert "one_row_twice" in {finding.code for finding in verdict.findings}


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
    "a gate above its measure": (b"[gate]\nf1_at_least = 55", "config_range", 2, "gate.f1_at_least", "0.5"),
    "a canary that falls": (b"[deploy]\ncanary = [50, 10]", "config_range", 2, "deploy.canary", "[10, 50, 100]"),
    "a canary of nothing": (b"[deploy]\ncanary = []", "config_range", 2, "deploy.canary", "[10, 50, 100]"),
    "a canary of all and more": (b"[deploy]\ncanary = [101]", "config_range", 2, "deploy.canary", "[10, 50, 100]"),
    "a mirror of more than half": (b"[deploy]\nmirror = 60", "config_range", 2, "deploy.mirror", "half"),
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
