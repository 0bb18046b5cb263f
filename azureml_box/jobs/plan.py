"""A pipeline as a flat plan: groups (pipelines in pipelines) and command steps with what they need of each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from azureml_box.errors import BadRequest
from azureml_box.jobs import inputs as component_inputs
from azureml_box.jobs import modes
from azureml_box.jobs.durations import seconds
from azureml_box.jobs.settings import Settings
from azureml_box.jobs.values import FromStep, Literal, Value, bound_output, read

Find = Callable[[str, str | None], "Component"]


@dataclass(frozen=True)
class Component:
    """A component's spec with where it comes from: its id, its registry (None: the workspace) and its code."""

    id: str
    spec: dict[str, Any]
    registry: str | None
    code: str | None


@dataclass
class Step:
    """One command to run; `path` is its place in the pipeline, as in `outer/inner`."""

    path: str
    group: str
    component: Component
    inputs: dict[str, Value]
    compute: str
    environment_variables: dict[str, str] = field(default_factory=dict)
    timeout: float | None = None
    modes: dict[str, str] = field(default_factory=dict)
    resources: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The step's key in its pipeline."""
        return self.path.rsplit("/", 1)[-1]

    def needs(self) -> set[str]:
        """The paths of the steps whose files it reads."""
        return {value.step for value in self.inputs.values() if isinstance(value, FromStep)}


@dataclass
class Plan:
    """Steps and groups by path; `outputs` says which step writes a group's output (the root's path is empty)."""

    steps: dict[str, Step] = field(default_factory=dict)
    groups: dict[str, Component] = field(default_factory=dict)
    outputs: dict[tuple[str, str], FromStep] = field(default_factory=dict)
    settings: Settings = field(default_factory=Settings)

    def source(self, value: FromStep) -> FromStep:
        """The command step behind an output of a step or group."""
        seen = value
        while (seen.step, seen.output) in self.outputs:
            seen = self.outputs[seen.step, seen.output]
        if seen.step not in self.steps:
            raise BadRequest(f"There is no step {seen.step!r} with an output {seen.output!r}.")
        return seen


def make(jobs: Mapping[str, Any], given: Mapping[str, Value], compute: str, find: Find) -> Plan:
    """The plan of a pipeline's `jobs`.

    Raises:
        BadRequest: a component's inputs don't fit, a binding leads nowhere, or steps wait for each other in a circle.
    """
    plan = Plan()
    _expand(plan, "", jobs, given, compute, None, find)
    for step in plan.steps.values():
        step.inputs = {k: plan.source(v) if isinstance(v, FromStep) else v for k, v in step.inputs.items()}
    for key in [key for key in plan.outputs if not key[0]]:
        plan.outputs[key] = plan.source(plan.outputs[key])
    _refuse_circles(plan)
    return plan


def _expand(
    plan: Plan,
    path: str,
    jobs: Mapping[str, Any],
    given: Mapping[str, Value],
    compute: str,
    registry: str | None,
    find: Find,
) -> None:
    prefix = f"{path}/" if path else ""
    for name, job in jobs.items():
        here = f"{prefix}{name}"
        component = find(str(job.get("componentId") or job.get("component") or ""), registry)
        raw = {key: read(value, given, prefix) for key, value in (job.get("inputs") or {}).items()}
        values = {key: value for key, value in raw.items() if value is not None}
        complete = component_inputs.complete(component.spec["name"], component.spec.get("inputs") or {}, values)
        chosen = _compute(job, given, compute)
        for output, bound in (job.get("outputs") or {}).items():
            if target := bound_output(bound):
                plan.outputs[path, target] = FromStep(here, output)
        if str(component.spec.get("type", "command")).lower().startswith("pipeline"):
            plan.groups[here] = component
            _expand(plan, here, component.spec.get("jobs") or {}, complete, chosen, component.registry, find)
        else:
            plan.steps[here] = _step(here, path, component, complete, chosen, job, given)


def _step(
    here: str,
    group: str,
    component: Component,
    complete: dict[str, Value],
    compute: str,
    job: Mapping[str, Any],
    given: Mapping[str, Value],
) -> Step:
    limit, spec = (job.get("limits") or {}).get("timeout"), component.spec
    return Step(
        here,
        group,
        component,
        complete,
        compute,
        _variables(spec, given) | _variables(job, given),
        seconds(limit) if limit is not None else None,
        modes.of_inputs(complete, job.get("inputs") or {}, spec.get("inputs") or {}),
        {**(spec.get("resources") or {}), **(job.get("resources") or {})},
    )


def _compute(job: Mapping[str, Any], given: Mapping[str, Value], inherited: str) -> str:
    value = read(job.get("computeId") or job.get("compute"), given, "")
    name = value.value if isinstance(value, Literal) else ""
    return name.rsplit("/", 1)[-1].removeprefix("azureml:") or inherited


def _variables(job: Mapping[str, Any], given: Mapping[str, Value]) -> dict[str, str]:
    sent = job.get("environment_variables") or job.get("environmentVariables") or {}
    read_all = {name: read(value, given, "") for name, value in sent.items()}
    return {name: value.value for name, value in read_all.items() if isinstance(value, Literal)}


def _refuse_circles(plan: Plan) -> None:
    left = {path: step.needs() for path, step in plan.steps.items()}
    while left:
        ready = [path for path, needs in left.items() if not needs & left.keys()]
        if not ready:
            raise BadRequest(f"Steps wait for each other in a circle: {', '.join(sorted(left))}.")
        for path in ready:
            del left[path]
