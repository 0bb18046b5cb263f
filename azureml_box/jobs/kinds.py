"""Components that are no command of their own: what each runs as, here a command of the emulator's own drivers.

Sources: learn.microsoft.com/azure/machine-learning/reference-yaml-component-parallel and reference-yaml-component-data-transfer.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from azureml_box.errors import ArmError, BadRequest

if TYPE_CHECKING:
    from azureml_box.jobs.plan import Component

_HERE = Path(__file__).resolve().parent
Fields = dict[str, Any]


def runnable(component: Component, job: Mapping[str, Any]) -> Component:
    """The component with a command to run; pipelines and commands come back as they are.

    Raises:
        ArmError: 501, nothing here runs such a component.
    """
    kind = str(component.spec.get("type") or "command").lower()
    if kind.startswith("pipeline") or kind == "command":
        return component
    if kind not in _COMMANDS:
        raise not_run(kind)
    return replace(component, **_COMMANDS[kind](component.spec, job))


def not_run(kind: str) -> ArmError:
    """What a job of a kind is refused with that nothing here runs."""
    known = ", ".join(("command", "pipeline", *_COMMANDS, "if_else"))
    return ArmError(
        501, "NotImplemented", f"Steps of type {kind!r} are not run by the emulator; it runs {known}.", "type"
    )


def _parallel(spec: Mapping[str, Any], job: Mapping[str, Any]) -> Fields:
    task = {**(spec.get("task") or {}), **(job.get("task") or {})}
    if task.get("type") != "run_function" or not task.get("entry_script"):
        raise BadRequest("A parallel component needs a task of type run_function with an entry_script.", target="task")
    options: dict[str, Any] = {
        "entry": shlex.quote(str(task["entry_script"])),
        "input": job.get("input_data") or spec.get("input_data"),
        "size": job.get("mini_batch_size") or spec.get("mini_batch_size") or 10,
        "file-errors": _first(job, spec, "error_threshold"),
        "batch-errors": _first(job, spec, "mini_batch_error_threshold"),
        "append": task.get("append_row_to"),
    }
    words = [f"--{name}={value}" for name, value in options.items() if value is not None]
    command = " ".join([_driver("parallel"), *words, "--", str(task.get("program_arguments") or "")])
    return {"spec": {**spec, "command": command, "environment": task.get("environment")}, "code": task.get("code")}


def _data_transfer(spec: Mapping[str, Any], job: Mapping[str, Any]) -> Fields:
    if spec.get("task") != "copy_data":
        raise not_run(f"data_transfer/{spec.get('task')}")
    outputs = list(spec.get("outputs") or {})
    if len(outputs) != 1:
        raise BadRequest("copy_data needs one output.", target="outputs")
    mode = job.get("data_copy_mode") or spec.get("data_copy_mode") or "fail_if_conflict"
    sources = " ".join(f"${{{{inputs.{name}}}}}" for name in job.get("inputs") or {})
    command = f"{_driver('copy')} --mode={mode} --output=${{{{outputs.{outputs[0]}}}}} {sources}"
    return {"spec": {**spec, "command": command}}


def _first(job: Mapping[str, Any], spec: Mapping[str, Any], name: str) -> Any:
    return job[name] if job.get(name) is not None else spec.get(name)


def _driver(name: str) -> str:
    return f"python {shlex.quote(str(_HERE / 'drivers' / f'{name}.py'))}"


_COMMANDS: dict[str, Callable[[Mapping[str, Any], Mapping[str, Any]], Fields]] = {
    "parallel": _parallel,
    "data_transfer": _data_transfer,
}
