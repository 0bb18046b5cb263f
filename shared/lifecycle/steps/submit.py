"""A validated run: check all that could refuse it before it costs money, wait for a slot, submit the pipeline."""

from __future__ import annotations

from shared.azure import roles
from shared.azure.seen import Job
from shared.errors import DeniedError, DroptuneError, ForeignResourceError, RejectedError, UserError
from shared.lifecycle import closing, permissions
from shared.lifecycle.outcome import Again, Enter, Outcome
from shared.runs import identity, slots
from shared.runs.records import Run
from shared.settings import settings
from shared.training import base_model, compute, limits, pipeline, quota
from shared.training.forecast import forecast

_REFUSALS = (UserError, ForeignResourceError, RejectedError, DeniedError)


def submit(run: Run) -> Outcome:
    """Submits the job of this attempt, once: by its name it is found again."""
    try:
        there = pipeline.find(identity.job_name(run.id, run.attempt))  # where somebody was killed before he said so
        model = base_model.find(run.base_model["id"])
        cluster, warning = _gates(run, model) if there is None else (compute.ready(_named(run), settings(), model), "")
        if not slots.take(run.id, run.name, run.attempt) and there is None:
            return _wait(run)
        job = _submit(run, model, cluster)
    except _REFUSALS as error:
        return _refuse(run, error)
    run.job = {
        "name": job.name,
        "studio_url": job.studio_url,
        "compute": cluster.name,
        "size": cluster.size,
        "nodes": _nodes(run),
    }
    return Enter("submitted", f"job {job.name}" + (f"; {warning}" if warning else ""), delay=settings().watch)


def _gates(run: Run, model: base_model.BaseModel) -> tuple[compute.Cluster, str]:
    """All that may refuse a run, in the order of what it costs to ask; the cluster, and what could not be seen."""
    if limits.spent(run.attempt, settings().max_attempts):
        raise UserError(*limits.too_often(settings().max_attempts))
    permissions.check(_named(run))
    cluster = compute.ready(_named(run), settings(), model)
    serves = (run.config.get("deploy") or {}).get("instance_type") or settings().instance_type
    warning = quota.check(model, cluster, _nodes(run), serves)
    _within_budget(run, model, cluster)
    return cluster, warning


def _named(run: Run) -> str:
    return str(run.config.get("compute") or settings().compute)


def _nodes(run: Run) -> int:
    """On how many nodes the job runs, and bills: the pipeline's own default is one, however large the cluster is."""
    return int(run.parameters.get("num_nodes_finetune", 1))


def _wait(run: Run) -> Outcome:
    told = f"waiting: {settings().max_jobs} jobs train already (DROPTUNE_MAX_JOBS)"
    changed, run.reason = run.reason != told, told
    return Again(settings().watch, changed)


def _refuse(run: Run, error: DroptuneError) -> Outcome:
    if isinstance(error, DeniedError) and error.status != 403:
        raise error  # who we are could not be told: that passes, or is told in the end
    closing.free_slot(run)
    return Enter("refused", error.reason, error.reason, error.fix)


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
    wanted = pipeline.spec(name, run.id, component, model, cluster, files, run.parameters, shown)
    with roles.needed("jobs"):
        return pipeline.submit(wanted, run.id)
