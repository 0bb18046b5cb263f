"""`droptune check` as people and programs call it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.main import COMMANDS, main

GOOD = "".join(
    json.dumps({"messages": [{"role": "user", "content": f"q{n}"}, {"role": "assistant", "content": f"a{n}"}]}) + "\n"
    for n in range(40)
)


def droptune(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "good.jsonl"
    path.write_text(GOOD)
    return path


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    path = tmp_path / "bad.jsonl"
    path.write_text(GOOD + "{\n")
    return path


def test_an_accepted_file_is_exit_0_and_told_with_its_rows(good: Path) -> None:
    result = droptune("check", good)
    assert result.exit_code == 0
    assert "accepted, 40 rows" in result.stdout


def test_a_rejected_file_is_exit_1_and_told_with_line_and_mend(bad: Path) -> None:
    result = droptune("check", bad)
    assert result.exit_code == 1
    assert f"{bad}:41" in result.stdout
    assert "truncated_line" in result.stdout


def test_one_bad_file_among_good_ones_is_exit_1(good: Path, bad: Path) -> None:
    assert droptune("check", bad, good).exit_code == 1


def test_json_is_one_document_on_stdout_and_nothing_else(bad: Path) -> None:
    result = droptune("check", bad, "--json")
    verdict = json.loads(result.stdout)
    assert result.exit_code == 1
    assert result.stderr == ""
    assert {"accepted", "rows", "findings", "findings_total", "profile"} <= verdict.keys()
    assert {"line", "field", "code", "severity", "message", "fix"} <= verdict["findings"][0].keys()
    assert (verdict["accepted"], verdict["rows"], verdict["findings"][0]["line"]) == (False, 40, 41)


def test_two_files_give_two_documents(good: Path, bad: Path) -> None:
    text, decoder, verdicts = droptune("check", good, bad, "--json").stdout.strip(), json.JSONDecoder(), []
    while text:
        verdict, end = decoder.raw_decode(text)
        verdicts.append(verdict["accepted"])
        text = text[end:].strip()
    assert verdicts == [True, False]


def test_a_file_that_is_not_there_is_wrong_usage_told_on_stderr(tmp_path: Path) -> None:
    result = droptune("check", tmp_path / "none.jsonl", "--json")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "none.jsonl" in result.stderr


def test_no_file_and_a_config_that_is_not_there_are_wrong_usage(good: Path, tmp_path: Path) -> None:
    assert droptune("check").exit_code == 2
    assert droptune("check", good, "--config", tmp_path / "none.toml").exit_code == 2


def test_a_bad_config_refuses_the_dataset_and_proposes_the_nearest_key(good: Path, tmp_path: Path) -> None:
    config = tmp_path / "droptune.toml"
    config.write_text('base_modle = "x"\n')
    result = droptune("check", good, "--config", config)
    assert result.exit_code == 1
    assert "droptune.toml:1" in result.stdout
    assert "did you mean 'base_model'?" in result.stdout


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_of_the_tree_explains_itself(name: str) -> None:
    assert droptune(name, "--help").exit_code == 0


def test_an_unknown_command_is_wrong_usage() -> None:
    assert droptune("fly").exit_code == 2
