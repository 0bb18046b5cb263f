"""A validated run: check compute and budget, submit the fine-tuning pipeline."""

from __future__ import annotations

from shared.azure.seen import Job
from shared.errors import ForeignResourceError, RejectedError, UserError
from shared.lifecycle.outcome import Enter, Outcome
from shared.runs import identity
from shared.runs.records import Run
from shared.settings import settings
from shared.training import base_model, compute, pipeline
from shared.training.forecast import forecast


def submit(run: Run) -> Outcome:
    """Submits the job of this attempt, once: by its name it is found again."""
    try:
        model = base_model.find(run.base_model["id"])
        cluster = compute.ready(run.config.get("compute") or settings().compute, settings(), model)
        _within_budget(run, model, cluster)
        job = _submit(run, model, cluster)
    except (UserError, ForeignResourceError, RejectedError) as error:
        return Enter("refused", error.reason, error.reason, error.fix)
    run.job = {
        "name": job.name,
        "studio_url": job.studio_url,
        "compute": cluster.name,
        "size": cluster.size,
        "nodes": cluster.nodes,
    }
    return Enter("submitted", f"job {job.name}", delay=settings().watch)


def _within_budget(run: Run, model: base_model.BaseModel, cluster: compute.Cluster) -> None:
    weights = model.tags.get("box_weights")
    expected = forecast(run.dataset, run.parameters, model.name, cluster.size, cluster.gpus, weights)
    usd = float(expected["usd"])
    run.cost = {**run.cost, "estimate_usd": round(usd, 2), "estimate": expected}
    own = (run.config.get("budget") or {}).get("max_cost_usd")
    ceiling = min(settings().max_cost_usd, own) if own else settings().max_cost_usd
    if usd > ceiling:
        raise UserError(
            f"the training is estimated at {usd:.2f} USD, above the budget of {ceiling:.2f} USD",
            "train fewer epochs or rows, or raise budget.max_cost_usd up to DROPTUNE_MAX_COST_USD",
        )


def _submit(run: Run, model: base_model.BaseModel, cluster: compute.Cluster) -> Job:
    root = f"azureml://datastores/{settings().snapshot_datastore}/paths/{run.dataset['snapshot']}"
    files = {side: f"{root}/{side}.jsonl" for side in ("train", "validation", "test")}
    shown = pipeline.display_name(model.name, run.name, run.parameters, cluster)
    name = identity.job_name(run.id, run.attempt)
    component = base_model.find_pipeline()
    return pipeline.submit(pipeline.spec(name, run.id, component, model, cluster, files, run.parameters, shown), run.id)
