"""The fine-tuning job: the registry's pipeline component, bound as the seed's notebook binds it."""

from __future__ import annotations

from threading import Lock
from typing import Any

from shared.azure import ml
from shared.azure.failures import azure_errors
from shared.errors import ForeignResourceError, NotFoundError
from shared.runs.identity import TAG_RUN
from shared.training.base_model import BaseModel, Pipeline
from shared.training.compute import Cluster

# The SDK keeps the pipeline that is being built in a stack of the process: two threads at once would mix theirs.
_BUILDING = Lock()
ENDS = ("Completed", "Failed", "Canceled", "NotResponding")


def display_name(model: str, dataset: str, parameters: dict[str, Any], cluster: Cluster) -> str:
    """The notebook's display name: model, data, batch size over all GPUs, scheduler, DeepSpeed, LoRA, limits."""
    batch = (
        int(parameters.get("per_device_train_batch_size", 1))
        * int(parameters.get("gradient_accumulation_steps", 1))
        * cluster.gpus
        * int(parameters.get("num_nodes_finetune", cluster.nodes))
    )
    deepspeed = str(parameters.get("apply_deepspeed", "false")).lower() == "true"
    lora = str(parameters.get("apply_lora", "false")).lower() == "true"
    return "-".join(
        [
            model,
            dataset,
            f"bs{batch}",
            str(parameters.get("lr_scheduler_type", "linear")),
            f"ds{parameters.get('deepspeed_stage', 2)}" if deepspeed else "nods",
            "lora" if lora else "nolora",
            f"save_limit{parameters.get('save_total_limit', -1)}",
            f"seqlen{parameters.get('max_seq_length', -1)}",
        ]
    )


def build(
    pipeline: Pipeline,
    model: BaseModel,
    cluster: Cluster,
    files: dict[str, str],
    parameters: dict[str, Any],
    name: str,
) -> Any:
    """The pipeline job; all of train, validation and test are given, so that every training row is trained on."""
    from azure.ai.ml import Input
    from azure.ai.ml.dsl import pipeline as dsl_pipeline

    computes = {key: cluster.name for key in pipeline.inputs if key.startswith("compute_")}
    data = {f"{side}_file_path": Input(type="uri_file", path=path) for side, path in files.items()}

    @dsl_pipeline
    def fine_tune() -> dict[str, Any]:
        node = pipeline.component(
            mlflow_model_path=Input(type="mlflow_model", path=model.id),
            number_of_gpu_to_use_finetuning=cluster.gpus,
            **computes,
            **data,
            **parameters,
        )
        return {"trained_model": node.outputs.mlflow_model_folder}

    with _BUILDING:
        job = fine_tune()
    job.display_name = name
    settings: Any = job.settings
    settings.force_rerun = True
    settings.continue_on_step_failure = False
    return job


def submit(job: Any, name: str, run: str, experiment: str) -> Any:
    """Submits a job under its name; a job of that name that bears our run's tag is adopted.

    Raises:
        ForeignResourceError: a job of that name belongs to somebody else.
    """
    found = find(name)
    if found is None:
        job.name, job.tags = name, {TAG_RUN: run}
        with azure_errors(f"submit the job {name}"):
            return ml.workspace().jobs.create_or_update(job, experiment_name=experiment)
    if (found.tags or {}).get(TAG_RUN) != run:
        raise ForeignResourceError(f"a job called {name!r} exists and is not ours", "rename or archive that job")
    return found


def find(name: str) -> Any | None:
    """The job of this name, or None."""
    try:
        with azure_errors(f"look at the job {name}"):
            return ml.workspace().jobs.get(name)
    except NotFoundError:
        return None


def cancel(name: str) -> None:
    """Asks for a job's end; one that is gone or ended is fine."""
    job = find(name)
    if job is not None and job.status not in ENDS:
        with azure_errors(f"cancel the job {name}"):
            ml.workspace().jobs.begin_cancel(name)


def failure(name: str) -> str:
    """Which step of a failed pipeline failed, and what it said."""
    with azure_errors(f"look at the steps of {name}"):
        children = list(ml.workspace().jobs.list(parent_job_name=name))
    for child in children:
        if child.status == "Failed":
            deeper = failure(str(child.name)) if getattr(child, "type", "") == "pipeline" else ""
            return deeper or f"the step {child.display_name or child.name} failed"
    return ""
