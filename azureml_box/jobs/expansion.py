"""From the nodes of a pipeline's body to its plan: components found, inputs completed, bindings followed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from azureml_box.jobs import conditions, kinds, modes
from azureml_box.jobs import inputs as component_inputs
from azureml_box.jobs.durations import seconds
from azureml_box.jobs.plan import Component, Find, Plan, Step, refuse_circles
from azureml_box.jobs.sweeps import definition
from azureml_box.jobs.values import FromStep, Literal, Value, bound_output, read

SWEEP = "sweep"


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
    refuse_circles(plan)
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
    left_out = conditions.left_out(jobs, given)
    for name, job in jobs.items():
        if job.get("type") == conditions.KIND or name in left_out:
            continue
        here = f"{prefix}{name}"
        component = kinds.runnable(find(_identity(job), registry), job)
        raw = {key: read(value, given, prefix) for key, value in (job.get("inputs") or {}).items()}
        values = {key: value for key, value in raw.items() if value is not None}
        sweep = definition.read(filled(job, given)) if job.get("type") == SWEEP else None
        spec = {
            key: entry
            for key, entry in (component.spec.get("inputs") or {}).items()
            if not sweep or key not in sweep.space
        }
        complete = component_inputs.complete(component.spec["name"], spec, values)
        chosen = _compute(job, given, compute)
        for output, bound in (job.get("outputs") or {}).items():
            if target := bound_output(bound):
                plan.outputs[path, target] = FromStep(here, output)
        if str(component.spec.get("type", "command")).lower().startswith("pipeline"):
            plan.groups[here] = component
            _expand(plan, here, component.spec.get("jobs") or {}, complete, chosen, component.registry, find)
        else:
            plan.steps[here] = _step(here, path, component, complete, chosen, job, given)
            plan.steps[here].sweep, plan.steps[here].destinations = sweep, dict(job.get("outputs") or {})


def _step(
    here: str,
    group: str,
    component: Component,
    complete: dict[str, Value],
    compute: str,
    job: Mapping[str, Any],
    given: Mapping[str, Value],
) -> Step:
    limits = {} if job.get("type") == SWEEP else job.get("limits") or {}  # those of a sweep are not its trials'
    limit, spec = read(limits.get("timeout"), given, ""), component.spec
    return Step(
        here,
        group,
        component,
        complete,
        compute,
        _variables(spec, given) | _variables(job, given),
        seconds(limit.value) if isinstance(limit, Literal) else None,
        modes.of_inputs(complete, job.get("inputs") or {}, spec.get("inputs") or {}),
        {**(spec.get("resources") or {}), **(job.get("resources") or {})},
    )


def filled(sent: Any, given: Mapping[str, Value]) -> Any:
    """A part of a node with the parent's inputs put in where it names them."""
    if isinstance(sent, Mapping):
        return {key: filled(value, given) for key, value in sent.items()}
    if isinstance(sent, list):
        return [filled(value, given) for value in sent]
    value = read(sent, given, "") if isinstance(sent, str) and "${{parent.inputs" in sent.replace(" ", "") else None
    return value.value if isinstance(value, Literal) else sent


def _identity(job: Mapping[str, Any]) -> str:
    named = (job.get("trial") or {}) if job.get("type") == SWEEP else job
    found = named.get("componentId") or named.get("component")
    if not found and job.get("type", "command") not in ("command", "pipeline"):
        raise kinds.not_run(str(job["type"]))
    return str(found or "")


def _compute(job: Mapping[str, Any], given: Mapping[str, Value], inherited: str) -> str:
    value = read(job.get("computeId") or job.get("compute"), given, "")
    name = value.value if isinstance(value, Literal) else ""
    return name.rsplit("/", 1)[-1].removeprefix("azureml:") or inherited


def _variables(job: Mapping[str, Any], given: Mapping[str, Value]) -> dict[str, str]:
    sent = job.get("environment_variables") or job.get("environmentVariables") or {}
    read_all = {name: read(value, given, "") for name, value in sent.items()}
    return {name: value.value for name, value in read_all.items() if isinstance(value, Literal)}
