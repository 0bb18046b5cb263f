"""Steps that ran before with the same code, command, environment and inputs: their outputs are taken again.

Rules: learn.microsoft.com/azure/machine-learning/how-to-debug-pipeline-reuse-issues. A component with
`is_deterministic: false` always runs, and so does every step under `force_rerun`, whose results nobody else reuses either.
A reused step shows the status, the outputs, the logs and the metrics of the earlier one. Names of the properties:
`PipelineConstants` of azure-ai-ml 1.35 (`azureml.isreused`, `azureml.reusedrunid`, which `jobs.download` follows), and the
run properties that azureml-assets reads (`azureml.reusedpipelinerunid`; `azureml.rootpipelinerunid` of a reused step is the
earlier pipeline). Compute and time limits don't count; which "run settings" Azure compares is not documented.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from azureml_box import assets
from azureml_box.errors import ArmError
from azureml_box.jobs import copies, documents
from azureml_box.jobs.materials import Materials
from azureml_box.jobs.plan import Plan, Step

if TYPE_CHECKING:
    from azureml_box.context import Box

KIND = "reuse"
_SPEC = ("type", "command", "distribution", "inputs", "outputs")
_digests: dict[tuple[int, int, int, int], str] = {}


def possible(plan: Plan, step: Step) -> bool:
    """Whether this step may be taken from an earlier job, or later jobs may take it; a command job never is."""
    deterministic = str(step.component.spec.get("is_deterministic", True)).lower() == "true"
    return bool(step.path) and not step.is_trial and deterministic and not plan.settings.force_rerun


def fingerprint(box: Box, step: Step, made: Materials) -> str:
    """What decides about a step's outputs, inputs and code by their content (blocks)."""
    spec = step.component.spec
    parts = {
        "spec": {name: spec.get(name) for name in _SPEC},
        "environment": _environment(box, spec.get("environment")),
        "variables": step.environment_variables,
        "resources": step.resources,
        "modes": step.modes,
        "code": _content(made.code),
        "texts": {name: text for name, text in made.texts.items() if name not in made.placed},
        "files": {name: _content(placed.place) for name, placed in made.placed.items()},
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def find(box: Box, key: str) -> dict[str, Any] | None:
    """The job of an earlier step with this fingerprint, while its outputs are still here."""
    kept = box.store.get(KIND, key)
    doc = box.store.get(documents.KIND, kept["run"]) if kept else None
    if doc is None or doc["properties"]["status"] != "Completed" or not doc.get("_sent"):
        return None
    folder = box.jobs.folder(doc["name"]) / "outputs"
    return doc if all((folder / name).exists() for name in doc["properties"]["outputs"]) else None


def keep(box: Box, key: str, run: str) -> None:
    """Lets later steps of this fingerprint take what this one has made."""
    box.store.put(KIND, key, {"run": run})


def take(box: Box, run: str, earlier: dict[str, Any]) -> None:
    """Makes a step's document tell what the earlier one did."""
    doc = documents.get(box, run)
    doc["_reused"] = earlier["name"]
    doc["properties"]["outputs"] = earlier["properties"]["outputs"]
    doc["_datastore"] = earlier.get("_datastore")
    doc["properties"]["properties"] |= {
        "azureml.isreused": "true",
        "azureml.reusedrunid": earlier["name"],
        "azureml.reusedpipelinerunid": earlier["_root"],
        "azureml.rootpipelinerunid": earlier["_root"],
    }
    box.store.put(documents.KIND, run, doc)


def origin(doc: dict[str, Any]) -> str:
    """The name of the run that really ran: the job's own, or the one that it reuses."""
    return str(doc.get("_reused") or doc["name"])


def _environment(box: Box, identity: Any) -> Any:
    try:
        properties = assets.find_environment(box, str(identity))["properties"]
    except ArmError:  # environments are not run here, so a job may name one that there is not
        return identity
    return {name: properties.get(name) for name in ("image", "condaFile", "build")}


def _content(place: Path) -> list[list[str]]:
    return sorted([path.relative_to(place).as_posix(), _digest(path)] for path in copies.below(place))


def _digest(path: Path) -> str:
    # By inode: the same model comes as a link of the same file again and again.
    state = path.stat()
    key = (state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns)
    if key not in _digests:
        with path.open("rb") as file:
            _digests[key] = hashlib.file_digest(file, "sha256").hexdigest()
    return _digests[key]
