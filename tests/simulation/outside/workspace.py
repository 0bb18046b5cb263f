"""The workspace in memory: jobs that take time, immutable models, computes, and the registry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from shared.azure.seen import ENDS, Component, Compute, Job, JobSpec, Model, Size, Usage
from shared.errors import ConflictError, NotFoundError, RejectedError
from tests.simulation.outside.blobs import FakeBlobs, moment
from tests.simulation.outside.gate import Gate

SIZE, FAMILY = "Standard_NC24ads_A100_v4", "StandardNCADSA100v4Family"
OUTPUT = "trained_model"


@dataclass
class JobLife:
    """How long a job takes, how it ends, and what it leaves."""

    waits: float = 60.0
    runs: float = 600.0
    ends: str = "Completed"
    outputs: tuple[str, ...] = (OUTPUT,)
    metrics: dict[str, float] = field(default_factory=lambda: {"loss": 1.5, "eval_loss": 1.25})


@dataclass(eq=False)
class FakeJob:
    """A job with what it read when it began."""

    spec: JobSpec
    life: JobLife
    made: float
    status: str = "NotStarted"
    ended: float | None = None
    read: dict[str, bytes | None] = field(default_factory=dict)
    children: list[Job] = field(default_factory=list)
    foreign: bool = False

    def seen(self) -> Job:
        """As a client sees it."""
        outputs = self.life.outputs if self.status == "Completed" or self.status not in ENDS else ()
        return Job(
            self.spec.name, self.status, dict(self.spec.tags), outputs, "https://studio/", self.spec.display_name
        )


class FakeJobs:
    """Jobs by name."""

    def __init__(self, gate: Gate, blobs: FakeBlobs) -> None:
        self._gate, self._blobs = gate, blobs
        self.all: dict[str, FakeJob] = {}
        self.lives: Callable[[JobSpec], JobLife] = lambda spec: JobLife()
        self.heard: list[Callable[[str, FakeJob], None]] = []

    def find(self, name: str) -> Job | None:
        """The job, or None."""
        return self._gate.call("job get", name, lambda: self.all[name].seen() if name in self.all else None, None)

    def submit(self, spec: JobSpec) -> Job:
        """A job that exists is never run again."""
        return self._gate.call("job create", spec.name, lambda: self.begin(spec).seen())

    def begin(self, spec: JobSpec) -> FakeJob:
        """Makes a job at once."""
        known = self.all.get(spec.name)
        if known is not None:
            known.spec = replace(known.spec, tags=dict(spec.tags), display_name=spec.display_name)
            return known
        job = self.all[spec.name] = FakeJob(spec, self.lives(spec), self._gate.kernel.now)
        self._tell("made", job)
        self._gate.kernel.after(job.life.waits, lambda: self._start(job))
        return job

    def _start(self, job: FakeJob) -> None:
        if job.status in ENDS or job.status == "CancelRequested":
            return
        for side, url in job.spec.files.items():
            blob = self._blobs.containers.get("snapshots", {}).get(url.rpartition("/paths/")[2])
            job.read[side] = blob.data if blob else None
        self._enter(job, "Running")
        self._gate.kernel.after(job.life.runs, lambda: self.end(job, job.life.ends))

    def end(self, job: FakeJob, status: str) -> None:
        """Ends a job that has not ended."""
        if job.status in ENDS:
            return
        if job.status == "CancelRequested":
            status = "Canceled"
        job.ended = self._gate.kernel.now if status in ENDS else None
        state = "Failed" if status == "Failed" else "Completed"
        job.children = [Job(f"{job.spec.name}-step", state, {}, (), "", "finetune", "command")]
        self._enter(job, status)

    def _enter(self, job: FakeJob, status: str) -> None:
        job.status = status
        self._tell("status", job)

    def _tell(self, what: str, job: FakeJob) -> None:
        for hear in self.heard:
            hear(what, job)

    def cancel(self, name: str) -> None:
        """Asks for a job's end: it comes a while later."""

        def effect() -> None:
            job = self._get(name)
            if job.status not in ENDS and job.status != "CancelRequested":
                self._tell("cancel", job)
                self._enter(job, "CancelRequested")
                self._gate.kernel.after(30.0, lambda: self.end(job, "Canceled"))

        self._gate.call("job cancel", name, effect)

    def children(self, name: str) -> list[Job]:
        """The steps of a job."""
        return self._gate.call("job children", name, lambda: list(self.all[name].children if name in self.all else []))

    def tagged(self, tag: str, since: datetime) -> list[Job]:
        """Newest first."""

        def effect() -> list[Job]:
            found = [job for job in self.all.values() if tag in job.spec.tags and moment(job.made) >= since]
            return [job.seen() for job in sorted(found, key=lambda job: -job.made)]

        return self._gate.call("job list", tag, effect)

    def metrics(self, name: str) -> dict[str, float]:
        """What a job logged."""

        def effect() -> dict[str, float]:
            job = self._get(name)
            return dict(job.life.metrics) if job.read else {}

        return self._gate.call("metrics read", name, effect)

    def curve(self, name: str, metric: str) -> list[list[float]]:
        """The points of a metric."""

        def effect() -> list[list[float]]:
            last = self._get(name).life.metrics.get(metric)
            return [] if last is None else [[0.0, last + 1], [1.0, last]]

        return self._gate.call("metrics curve", f"{name} {metric}", effect)

    def _get(self, name: str) -> FakeJob:
        if name not in self.all:
            raise NotFoundError(f"there is no job {name}", status=404)
        return self.all[name]


class FakeModels:
    """Registered versions: what they are made of can be set once."""

    def __init__(self, gate: Gate, jobs: FakeJobs) -> None:
        self._gate, self._jobs = gate, jobs
        self.all: dict[tuple[str, str], tuple[Model, str]] = {}
        self.heard: list[Callable[[Model, str], None]] = []

    def find(self, name: str, version: str) -> Model | None:
        """A version, or None."""
        return self._gate.call(
            "model get", f"{name}:{version}", lambda: self.all.get((name, version), (None,))[0], None
        )

    def register(self, name: str, version: str, path: str, description: str, tags: dict[str, str]) -> Model:
        """Registers what lies at a path."""
        return self._gate.call("model create", f"{name}:{version}", lambda: self._register(name, version, path, tags))

    def tag(self, name: str, version: str, tags: dict[str, str]) -> None:
        """Adds tags to a version."""

        def effect() -> None:
            if (name, version) not in self.all:
                raise NotFoundError(f"there is no model {name}:{version}", status=404)
            self.all[name, version][0].tags.update(tags)

        self._gate.call("model update", f"{name}:{version}", effect)

    def _register(self, name: str, version: str, path: str, tags: dict[str, str]) -> Model:
        known = self.all.get((name, version))
        if known is not None and known[1] != path:
            raise ConflictError(f"{name}:{version} is registered with another path", status=409)
        model = Model(f"/models/{name}/versions/{version}", name, version, dict(tags))
        self.all[name, version] = (model, path)
        for hear in self.heard:
            hear(model, path)
        return model


class FakeRegistry:
    """Base models and pipelines; they never change."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self.names = ("Phi-3-mini-4k-instruct", "Phi-4")

    def model(self, name: str, version: str | None) -> Model:
        """A base model."""

        def effect() -> Model:
            if name not in self.names:
                raise NotFoundError(f"there is no model {name}", status=404)
            number = version or "15"
            tags = {"finetune_compute_allow_list": f"['{SIZE}']", "model_specific_defaults": "{'learning_rate': 5e-06}"}
            return Model(f"azureml://registries/azureml/models/{name}/versions/{number}", name, number, tags)

        return self._gate.call("registry model", f"{name}:{version}", effect)

    def component(self, name: str) -> Component:
        """The pipeline."""
        numbers = {
            key: {"type": "integer"} for key in ("num_train_epochs", "per_device_train_batch_size", "deepspeed_stage")
        }
        texts = {
            key: {"type": "string"}
            for key in ("lr_scheduler_type", "apply_lora", "apply_deepspeed", "mlflow_model_path")
        }
        others = {"learning_rate": {"type": "number", "min": 0}, "compute_finetune": {"type": "string"}}
        inputs: dict[str, dict[str, Any]] = {**numbers, **texts, **others}
        return self._gate.call("registry component", name, lambda: Component(name, "0.0.80", inputs))


class FakeComputes:
    """Clusters and quotas."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self.all: dict[str, tuple[Compute, float]] = {}
        self.made = 0
        self.takes = 20.0
        self.limit = 96

    def find(self, name: str) -> Compute | None:
        """A cluster, or None; it takes a while until it is there."""

        def effect() -> Compute | None:
            found = self.all.get(name)
            if found is None:
                return None
            ready = self._gate.kernel.now >= found[1] + self.takes
            return replace(found[0], state="succeeded" if ready else "creating")

        return self._gate.call("compute get", name, effect, None)

    def start(self, name: str, size: str, nodes: int, tags: dict[str, str]) -> None:
        """Starts making one."""

        def effect() -> None:
            if size != SIZE:
                raise RejectedError(f"{size} is not offered", status=400)
            known = self.all.get(name)
            self.made += known is None
            self.all[name] = (Compute(name, size, "creating", nodes), known[1] if known else self._gate.kernel.now)

        self._gate.call("compute create", name, effect)

    def sizes(self) -> list[Size]:
        """The sizes of the region."""
        return self._gate.call(
            "sizes list", "", lambda: [Size(SIZE, FAMILY, 24, 1), Size("Standard_DS3_v2", "D", 4, 0)]
        )

    def usages(self) -> list[Usage]:
        """The quotas of the region."""
        return self._gate.call(
            "usages list", "", lambda: [Usage(FAMILY, 0, self.limit), Usage("cores", 0, 4 * self.limit)]
        )
