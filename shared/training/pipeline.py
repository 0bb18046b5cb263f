"""The fine-tuning job: the registry's pipeline component, bound as the seed's notebook binds it."""

from __future__ import annotations

from typing import Any

from shared.azure.outside import outside
from shared.azure.seen import Component, Job, JobSpec
from shared.errors import ForeignResourceError
from shared.runs.identity import TAG_RUN
from shared.training.base_model import BaseModel
from shared.training.compute import Cluster

STOPPED = ("Completed", "Failed", "Canceled")  # one that is `NotResponding` may still run, and bill


def display_name(model: str, dataset: str, parameters: dict[str, Any], cluster: Cluster) -> str:
    """The notebook's display name: model, data, batch size over all GPUs, scheduler, DeepSpeed, LoRA, limits."""
    batch = (
        int(parameters.get("per_device_train_batch_size", 1))
        * int(parameters.get("gradient_accumulation_steps", 1))
        * cluster.gpus
        * int(parameters.get("num_nodes_finetune", 1))
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


def spec(
    name: str,
    run: str,
    pipeline: Component,
    model: BaseModel,
    cluster: Cluster,
    files: dict[str, str],
    parameters: dict[str, Any],
    shown: str,
) -> JobSpec:
    """The job that trains: the component bound to a model, a cluster and the three files of a snapshot."""
    return JobSpec(
        name=name,
        experiment=f"chat_completion_{model.name}",
        display_name=shown,
        tags={TAG_RUN: run},
        component=pipeline.component,
        model_id=model.id,
        gpus=cluster.gpus,
        computes={key: cluster.name for key in pipeline.inputs if key.startswith("compute_")},
        files=files,
        parameters=parameters,
    )


def submit(wanted: JobSpec, run: str) -> Job:
    """Submits a job under its name; a job of that name that bears our run's tag is adopted.

    Raises:
        ForeignResourceError: a job of that name belongs to somebody else.
    """
    found = find(wanted.name)
    if found is None:
        return outside().jobs.submit(wanted)
    if found.tags.get(TAG_RUN) != run:
        raise ForeignResourceError(f"a job called {wanted.name!r} exists and is not ours", "rename or archive that job")
    return found


def find(name: str) -> Job | None:
    """The job of this name, or None."""
    return outside().jobs.find(name)


def cancel(name: str, run: str) -> bool:
    """Asks for the end of a run's job; True where none of this name and run is running any more."""
    job = find(name)
    if job is None or job.tags.get(TAG_RUN) != run or job.status in STOPPED:
        return True
    if job.status != "CancelRequested":
        outside().jobs.cancel(name)
    return False


def failure(name: str) -> str:
    """Which step of a failed pipeline failed, and what it said."""
    for child in outside().jobs.children(name):
        if child.status == "Failed":
            deeper = failure(child.name) if child.kind == "pipeline" else ""
            return deeper or f"the step {child.display_name or child.name} failed"
    return ""
