"""What the job document of a step shows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from azureml_box.jobs import files, logs
from azureml_box.jobs.plan import Step
from azureml_box.jobs.values import Asset, FromStep, Literal, Value

if TYPE_CHECKING:
    from azureml_box.context import Box


def step(box: Box, found: Step, run: str, root: str, datastore: str = "") -> dict[str, Any]:
    """The properties of a step's job document."""
    spec = found.component.spec
    return {
        "jobType": "Command",
        "displayName": found.name,
        "componentId": found.component.id,
        "command": spec.get("command"),
        "environmentId": environment(spec),
        "computeId": f"{box.config.workspace_scope}/computes/{found.compute}" if found.compute else None,
        "inputs": {
            name: _input(value, found.modes.get(name))
            for name, value in found.inputs.items()
            if not isinstance(value, FromStep)
        },
        "outputs": {name: _output(run, name, entry, datastore) for name, entry in outputs(found).items()},
        "resources": {"instanceCount": 1},
        "limits": {"jobLimitsType": "Command", "timeout": f"PT{found.timeout:g}S"} if found.timeout else None,
        "properties": {"azureml.pipelinerunid": root, "azureml.rootpipelinerunid": root},
    }


def outputs(found: Step) -> dict[str, dict[str, Any]]:
    """The outputs of a step's component by name."""
    return dict(found.component.spec.get("outputs") or {})


def is_kept(found: Step) -> bool:
    """Whether a step has what its command keeps with the run as an output, too."""
    entry = outputs(found).get(logs.ARTIFACTS)
    named = re.search(rf"outputs\.{logs.ARTIFACTS}\b", str(found.component.spec.get("command")))
    return entry is not None and not named and not files.is_file(entry.get("type"))


def environment(spec: dict[str, Any]) -> str | None:
    """The id of a component's environment."""
    named = spec.get("environment")
    return named if isinstance(named, str) else None


def address(run: str, output: str, entry: dict[str, Any], datastore: str = "") -> str:
    """Where a run's output lies."""
    return files.output_uri(run, output, files.is_file(entry.get("type")), datastore)


def _input(value: Value, mode: str | None) -> dict[str, Any]:
    if isinstance(value, Literal):
        return {"jobInputType": "literal", "value": value.value}
    assert isinstance(value, Asset)
    return {"jobInputType": value.type, "uri": value.uri, "mode": mode}


def _output(run: str, name: str, entry: dict[str, Any], datastore: str) -> dict[str, Any]:
    kind = str(entry.get("type", "uri_folder"))
    return {"jobOutputType": kind, "mode": "ReadWriteMount", "uri": address(run, name, entry, datastore)}
