"""What a pipeline job's `settings` say.

Source: learn.microsoft.com/azure/machine-learning/reference-yaml-job-pipeline (attributes of `settings`, their defaults).
A pipeline job has no time limit of its own: `PipelineJob` of the ARM reference has no `limits`, only its command steps do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from azureml_box.errors import BadRequest

_CAMEL = {"continueOnStepFailure": "continue_on_step_failure", "forceRerun": "force_rerun"}
_CAMEL |= {"defaultCompute": "default_compute", "defaultDatastore": "default_datastore"}


@dataclass(frozen=True)
class Settings:
    """`continue_on_step_failure`: steps that don't need the failed one still run, which is Azure's default."""

    continue_on_step_failure: bool = True
    force_rerun: bool = False
    default_compute: str = ""
    default_datastore: str = ""


def snake(sent: Mapping[str, Any] | None) -> dict[str, Any]:
    """The settings with Python's spelling: the service takes both."""
    return {_CAMEL.get(name, name): value for name, value in (sent or {}).items()}


def read(sent: Mapping[str, Any] | None) -> Settings:
    """The settings of a pipeline job.

    Raises:
        BadRequest: a flag is neither true nor false.
    """
    given = snake(sent)
    return Settings(
        continue_on_step_failure=_flag(given, "continue_on_step_failure", True),
        force_rerun=_flag(given, "force_rerun", False),
        default_compute=str(given.get("default_compute") or ""),
        default_datastore=_name(given.get("default_datastore")),
    )


def _name(datastore: Any) -> str:
    return str(datastore or "").rsplit("/", 1)[-1].removeprefix("azureml:")


def _flag(given: Mapping[str, Any], name: str, usual: bool) -> bool:
    value = given.get(name)
    if value is None:
        return usual
    if isinstance(value, bool):
        return value
    if str(value).lower() in ("true", "false"):
        return str(value).lower() == "true"
    raise BadRequest(f"settings.{name} is {value!r}; true or false is wanted.", target=f"settings.{name}")
