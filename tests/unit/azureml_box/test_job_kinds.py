"""Steps that are no command of their own: parallel, data transfer, if_else; what nothing runs is refused with 501."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from azureml_box.errors import ArmError
from azureml_box.jobs import conditions, kinds
from azureml_box.jobs.expansion import make
from azureml_box.jobs.plan import Component
from azureml_box.jobs.values import Literal

DRIVERS = Path(kinds.__file__).parent / "drivers"
SCRIPT = """
import sys

def init():
    print("init with", sys.argv[1:])

def run(files):
    if any("bad" in name for name in files):
        raise ValueError("a bad file")
    return [len(open(name).read()) for name in files]
"""


def _run(driver: str, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(DRIVERS / f"{driver}.py"), *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def _parallel(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    (folder / "score.py").write_text(SCRIPT)
    fixed = ("--entry=score.py", f"--input={folder / 'data'}", "--size=2", f"--append={folder / 'rows.txt'}")
    return _run("parallel", *fixed, *options, "--", "--word", "tea", folder=folder)


def _files(folder: Path, **contents: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in contents.items():
        (folder / name).write_text(text)
    return folder


def test_a_parallel_step_runs_its_script_on_every_mini_batch(tmp_path: Path) -> None:
    _files(tmp_path / "data", a="1", b="22", c="333")
    done = _parallel(tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "rows.txt").read_text().split() == ["1", "2", "3"]
    assert "init with ['--word', 'tea']" in done.stdout and "2 mini-batches, 0 failed" in done.stdout


@pytest.mark.parametrize(("option", "code"), [("--file-errors=1", 1), ("--file-errors=2", 0), ("--batch-errors=0", 1)])
def test_a_parallel_step_fails_above_its_thresholds(tmp_path: Path, option: str, code: int) -> None:
    _files(tmp_path / "data", a="1", bad="x", c="333")
    assert _parallel(tmp_path, option).returncode == code


def test_a_parallel_step_does_not_read_tables(tmp_path: Path) -> None:
    _files(tmp_path / "data", MLTable="paths: []")
    assert "MLTable" in _parallel(tmp_path).stderr


def test_copy_merges_inputs_and_refuses_a_conflict(tmp_path: Path) -> None:
    one, two = _files(tmp_path / "one", a="1", b="1"), _files(tmp_path / "two", b="2")
    out = _files(tmp_path / "out")
    sent = (f"--output={out}", str(one), str(two))
    assert _run("copy", "--mode=merge_with_overwrite", *sent, folder=tmp_path).returncode == 0
    assert {path.name: path.read_text() for path in out.iterdir()} == {"a": "1", "b": "2"}
    refused = _run("copy", "--mode=fail_if_conflict", *sent, folder=tmp_path)
    assert refused.returncode == 1 and "more than one input" in refused.stderr


def _component(**spec: Any) -> Component:
    return Component("id", {"name": "it", **spec}, None, None)


def test_a_parallel_component_brings_code_and_environment_from_its_task() -> None:
    task = {
        "type": "run_function",
        "entry_script": "score.py",
        "code": "c",
        "environment": "e",
        "program_arguments": "-x",
    }
    made = kinds.runnable(_component(type="parallel", task=task, input_data="${{inputs.d}}"), {"mini_batch_size": 5})
    assert (made.code, made.spec["environment"]) == ("c", "e")
    assert made.spec["command"].endswith("--entry=score.py --input=${{inputs.d}} --size=5 -- -x")


@pytest.mark.parametrize("spec", [{"type": "spark"}, {"type": "data_transfer", "task": "import_data"}])
def test_what_nothing_runs_is_refused(spec: dict[str, Any]) -> None:
    with pytest.raises(ArmError, match="are not run by the emulator") as told:
        kinds.runnable(_component(**spec), {})
    assert told.value.status == 501


def test_a_node_without_component_is_refused_by_its_type() -> None:
    with pytest.raises(ArmError, match="sweep"):
        make({"s": {"type": "sweep", "trial": {}}}, {}, "", lambda _id, _registry: _component())


@pytest.mark.parametrize("condition", [True, "true", "${{parent.inputs.flag}}"])
def test_only_the_branch_taken_runs_and_what_needs_the_other_is_left_out(condition: Any) -> None:
    needs = {"x": {"uri": "${{parent.jobs.no.outputs.o}}", "job_input_type": "uri_folder"}}
    jobs = {
        "if": {"type": "if_else", "condition": condition, "true_block": "${{parent.jobs.yes}}"},
        "yes": {"component": "a"},
        "no": {"component": "a"},
        "after": {"component": "a", "inputs": needs},
    }
    jobs["if"]["false_block"] = ["${{parent.jobs.no}}"]
    plan = make(jobs, {"flag": Literal("True")}, "", lambda _id, _registry: _component(command="true"))
    assert list(plan.steps) == ["yes"]


def test_a_condition_that_a_step_decides_is_refused() -> None:
    jobs = {"if": {"type": "if_else", "condition": "${{parent.jobs.a.outputs.o}}"}}
    with pytest.raises(ArmError, match="decided by a step's output"):
        conditions.left_out(jobs, {})
