"""`droptune box fault`: the words and the exit codes; the rules themselves are the emulator's."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from azureml_box.faults.effects import KINDS
from azureml_box.faults.named import NAMED
from cli import box_fault
from cli.main import main


def test_the_command_knows_every_kind_and_name_of_the_emulator() -> None:
    assert set(box_fault._KINDS) == set(KINDS)
    assert set(box_fault._NAMES.split(", ")) == set(NAMED)


def test_without_a_rule_the_usage_is_wrong(tmp_path: Path) -> None:
    ran = CliRunner().invoke(main, ["box", "fault", "add", "--home", str(tmp_path)])
    assert (ran.exit_code, "say what shall break" in ran.output) == (2, True)


def test_without_a_box_it_says_so(tmp_path: Path) -> None:
    ran = CliRunner().invoke(main, ["box", "fault", "list", "--home", str(tmp_path)])
    assert (ran.exit_code, "there is no box" in ran.output) == (1, True)
