"""A pipeline as a flat plan: groups (pipelines in pipelines) and command steps with what they need of each other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from azureml_box.errors import BadRequest
from azureml_box.jobs.settings import Settings
from azureml_box.jobs.values import FromStep, Value

if TYPE_CHECKING:
    from azureml_box.jobs.sweeps.definition import Sweep

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
    """One command to run; `path` is its place in the pipeline, as in `outer/inner`.

    With a `sweep` it is run as that sweep's trials.
    """

    path: str
    group: str
    component: Component
    inputs: dict[str, Value]
    compute: str
    environment_variables: dict[str, str] = field(default_factory=dict)
    timeout: float | None = None
    modes: dict[str, str] = field(default_factory=dict)
    resources: dict[str, Any] = field(default_factory=dict)
    sweep: Sweep | None = None
    is_trial: bool = False
    destinations: dict[str, dict[str, str]] = field(default_factory=dict)

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


def refuse_circles(plan: Plan) -> None:
    """Raises BadRequest where steps wait for each other."""
    left = {path: step.needs() for path, step in plan.steps.items()}
    while left:
        ready = [path for path, needs in left.items() if not needs & left.keys()]
        if not ready:
            raise BadRequest(f"Steps wait for each other in a circle: {', '.join(sorted(left))}.")
        for path in ready:
            del left[path]
