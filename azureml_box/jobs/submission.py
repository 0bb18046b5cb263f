"""From the body of `PUT …/jobs/{name}` to a plan: what is sent is checked before anything is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from azureml_box import assets, datastores
from azureml_box.computes import find as find_compute
from azureml_box.errors import ArmError, BadRequest, NotFound
from azureml_box.jobs import destinations, expansion, inputs, modes, settings
from azureml_box.jobs.durations import seconds
from azureml_box.jobs.plan import Component, Find, Plan, Step
from azureml_box.jobs.sweeps import definition
from azureml_box.jobs.values import Value, read

if TYPE_CHECKING:
    from azureml_box.context import Box

_SERVERLESS = ("", "serverless")


def plan_of(box: Box, properties: dict[str, Any]) -> Plan:
    """The plan of a job's properties.

    Raises:
        BadRequest, NotFound: something in it does not fit or does not exist.
    """
    kind = str(properties.get("jobType") or "")
    if kind == "Pipeline":
        made = _pipeline(box, properties)
    elif kind == "Command":
        made = _command(properties)
    elif kind == "Sweep":
        made = _sweep(properties)
    else:
        raise ArmError(501, "NotImplemented", f"The emulator does not run jobs of type {kind!r}.", "jobType")
    if made.settings.default_datastore:
        datastores.resolve(box, f"azureml://datastores/{made.settings.default_datastore}/paths/x")
    for step in made.steps.values():
        step.destinations = destinations.read(box, step.destinations)
        if step.compute not in _SERVERLESS:
            find_compute(box, step.compute)
    return made


def _pipeline(box: Box, properties: dict[str, Any]) -> Plan:
    given = _inputs(properties)
    wanted = settings.read(properties.get("settings"))
    compute = _name(wanted.default_compute or properties.get("computeId"))
    jobs = properties.get("jobs") or {}
    if not jobs and properties.get("componentId"):
        component = _finder(box)(str(properties["componentId"]), None)
        jobs = component.spec.get("jobs") or {}
        given = inputs.complete(component.spec["name"], component.spec.get("inputs") or {}, given)
    if not jobs:
        raise BadRequest("A pipeline needs at least one job.", target="jobs")
    made = expansion.make(jobs, given, compute, _finder(box))
    made.settings = wanted
    return made


def _objects(outputs: dict[str, Any] | None) -> dict[str, dict[str, Any]]:
    """A command's outputs, which are objects; a pipeline's may be texts that point elsewhere."""
    for name, entry in (outputs or {}).items():
        if isinstance(entry, str):
            raise BadRequest(f"properties.outputs.{name} must be an object.", target=f"properties.outputs.{name}")
    return outputs or {}


def _sweep(properties: dict[str, Any]) -> Plan:
    """A sweep is the command of its trial, run more than once."""
    trial = properties.get("trial")
    if not isinstance(trial, dict):
        raise BadRequest("A sweep needs a trial.", target="trial")
    made = _command({**properties, **trial, "limits": {}})
    made.steps[""].sweep = definition.read(properties)
    return made


def _command(properties: dict[str, Any]) -> Plan:
    spec = {
        "name": str(properties.get("displayName") or "command"),
        "command": properties.get("command"),
        "outputs": {
            name: {"type": entry.get("jobOutputType") or "uri_folder"}
            for name, entry in _objects(properties.get("outputs")).items()
        },
        "environment": properties.get("environmentId"),
    }
    if not spec["command"]:
        raise BadRequest("A command job needs a command.", target="command")
    code = properties.get("codeId")
    component = Component("", spec, None, str(code) if code else None)
    limit = (properties.get("limits") or {}).get("timeout")
    given = _inputs(properties)
    step = Step(
        "",
        "",
        component,
        given,
        _name(properties.get("computeId")),
        {key: str(value) for key, value in (properties.get("environmentVariables") or {}).items()},
        seconds(limit) if limit else None,
        modes.of_inputs(given, properties.get("inputs") or {}, {}),
        destinations=properties.get("outputs") or {},
    )
    return Plan(steps={"": step})


def _inputs(properties: dict[str, Any]) -> dict[str, Value]:
    found = {name: read(value, {}, "") for name, value in (properties.get("inputs") or {}).items()}
    return {name: value for name, value in found.items() if value is not None}


def _name(compute: Any) -> str:
    return str(compute or "").rsplit("/", 1)[-1].removeprefix("azureml:")


def _finder(box: Box) -> Find:
    def find(identity: str, registry: str | None) -> Component:
        if not identity:
            raise BadRequest("A job of a pipeline names no component.", target="componentId")
        if registry and identity.startswith("azureml:") and not identity.startswith("azureml://"):
            name, _, version = identity.removeprefix("azureml:").partition(":")
            identity = f"azureml://registries/{registry}/components/{name}/versions/{version}"
        try:
            doc = assets.find_component(box, identity)
        except NotFound as error:
            raise BadRequest(error.message, target="componentId") from error
        scope = assets.parse("components", identity).scope
        code = doc.get("_folder")
        return Component(
            identity,
            doc["properties"]["componentSpec"],
            None if scope == assets.WORKSPACE else scope,
            str(code) if code else None,
        )

    return find
