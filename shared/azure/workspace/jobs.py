"""Jobs of the workspace: the SDK builds and submits the pipeline."""

from __future__ import annotations

from datetime import datetime
from threading import Lock
from typing import Any

from shared.azure import arm, ml
from shared.azure.failures import azure_errors
from shared.azure.seen import Job, JobSpec, plain, texts
from shared.errors import NotFoundError

# The SDK keeps the pipeline that is being built in a stack of the process: two threads at once would mix theirs.
_BUILDING = Lock()
_JOBS_API = "2024-01-01-preview"


class AzureJobs:
    """Jobs by name; none of these calls waits for one."""

    def find(self, name: str) -> Job | None:
        """The job of this name, or None."""
        try:
            with azure_errors(f"look at the job {name}"):
                return _seen(ml.workspace().jobs.get(name))
        except NotFoundError:
            return None

    def submit(self, spec: JobSpec) -> Job:
        """Submits a job under its name."""
        job = build(spec)
        with azure_errors(f"submit the job {spec.name}"):
            return _seen(ml.workspace().jobs.create_or_update(job, experiment_name=spec.experiment))

    def cancel(self, name: str) -> None:
        """Asks for a job's end."""
        with azure_errors(f"cancel the job {name}"):
            ml.workspace().jobs.begin_cancel(name)

    def children(self, name: str) -> list[Job]:
        """The steps of a pipeline job."""
        with azure_errors(f"look at the steps of {name}"):
            return [_seen(child) for child in ml.workspace().jobs.list(parent_job_name=name)]

    def tagged(self, tag: str, since: datetime) -> list[Job]:
        """The jobs with a tag that were made since then: newest first, so that older ones cost nothing."""
        found: list[Job] = []
        for entry in arm.pages(f"{arm.workspace_id()}/jobs", version=_JOBS_API, query={"tag": tag}):
            made = entry.get("systemData", {}).get("createdAt", "")
            if made and datetime.fromisoformat(made) < since:
                break
            found.append(_listed(entry))
        return found

    def metrics(self, name: str) -> dict[str, float]:
        """The last value of each metric that a run has."""
        answer = arm.tracking("GET", "runs/get", query={"run_id": name, "run_uuid": name})
        entries = answer.get("run", {}).get("data", {}).get("metrics", [])
        return {entry["key"]: float(entry["value"]) for entry in entries}

    def curve(self, name: str, metric: str) -> list[list[float]]:
        """Step and value of every point of a metric, in order."""
        query = {"run_id": name, "metric_key": metric, "max_results": "5000"}
        answer = arm.tracking("GET", "metrics/get-history", query=query)
        return sorted([float(point.get("step", 0)), float(point["value"])] for point in answer.get("metrics", []))


def build(spec: JobSpec) -> Any:
    """The pipeline job; all of train, validation and test are given, so that every training row is trained on."""
    ml.import_sdk()
    from azure.ai.ml import Input
    from azure.ai.ml.dsl import pipeline as dsl_pipeline

    data = {f"{side}_file_path": Input(type="uri_file", path=path) for side, path in spec.files.items()}

    @dsl_pipeline
    def fine_tune() -> dict[str, Any]:
        node = spec.component(
            mlflow_model_path=Input(type="mlflow_model", path=spec.model_id),
            number_of_gpu_to_use_finetuning=spec.gpus,
            **spec.computes,
            **data,
            **spec.parameters,
        )
        return {"trained_model": node.outputs.mlflow_model_folder}

    with _BUILDING:
        job = fine_tune()
    job.name, job.display_name, job.tags = spec.name, spec.display_name, dict(spec.tags)
    settings: Any = job.settings
    settings.force_rerun = True
    settings.continue_on_step_failure = False
    return job


def _seen(job: Any) -> Job:
    services = getattr(job, "services", None) or {}
    return Job(
        name=str(job.name),
        status=plain(job.status),
        tags=texts(job.tags),
        outputs=tuple(getattr(job, "outputs", None) or ()),
        studio_url=str(getattr(services.get("Studio"), "endpoint", "") or "") if services else "",
        display_name=str(job.display_name or ""),
        kind=plain(getattr(job, "type", "")),
    )


def _listed(entry: dict[str, Any]) -> Job:
    said = entry.get("properties", {})
    return Job(
        name=str(entry.get("name", "")),
        status=str(said.get("status", "")),
        tags=texts(said.get("tags")),
        outputs=tuple(said.get("outputs") or ()),
        display_name=str(said.get("displayName") or ""),
        kind=str(said.get("jobType", "")).lower(),
    )
