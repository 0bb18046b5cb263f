"""The cluster that trains: got or created, its state, size and GPUs checked."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from shared.azure import ml
from shared.azure.failures import azure_errors
from shared.errors import NotFoundError, TransientError, UserError
from shared.settings import Settings
from shared.training.base_model import BaseModel

UNSUITED = {"standard_nc6", "standard_nc12", "standard_nc24", "standard_nc24r"}


@dataclass(frozen=True)
class Cluster:
    """A compute cluster as the pipeline needs it."""

    name: str
    size: str
    nodes: int
    gpus: int


def ready(name: str, settings: Settings, model: BaseModel) -> Cluster:
    """The cluster of this name, made where it is missing (it scales to 0), checked for the base model.

    Raises:
        UserError: it failed to be made, has no GPU, or its size is not on the model's list.
    """
    compute = _get_or_create(name, settings)
    size, state = str(compute.size), _plain(compute.provisioning_state)
    if state.lower() == "failed":
        raise UserError(f"the compute {name!r} is in the state failed", "delete it or name another one", "compute")
    check_size(name, size, model)
    if state.lower() not in ("succeeded", ""):
        raise TransientError(f"the compute {name!r} is being made ({state})")
    return Cluster(name, size, int(compute.max_instances or 1), _gpus(size))


def check_size(name: str, size: str, model: BaseModel) -> None:
    """Whether the base model may be tuned on this size.

    Raises:
        UserError: it is not on the model's allow list, or is known to be too small.
    """
    allowed = model.allow_list("finetune")
    if allowed is not None and size.lower() not in allowed:
        fix = "use a compute of one of the sizes " + ", ".join(allowed)
        raise UserError(f"{model.name} cannot be tuned on {size} (compute {name!r})", fix, "compute")
    if allowed is None and size.lower() in UNSUITED:
        raise UserError(f"{size} is not supported for fine-tuning", "use a size with an A100 GPU", "compute")


def _get_or_create(name: str, settings: Settings) -> Any:
    from azure.ai.ml.entities import AmlCompute

    computes = ml.workspace().compute
    try:
        with azure_errors(f"look at the compute {name}"):
            return computes.get(name)
    except NotFoundError as missing:
        if name != settings.compute:
            fix = f"name a cluster of the workspace, or leave `compute` out to use {settings.compute!r}"
            raise UserError(f"the workspace has no compute {name!r}", fix, "compute") from missing
    cluster = AmlCompute(
        name=name,
        size=settings.compute_size,
        tier="Dedicated",
        min_instances=0,
        max_instances=settings.compute_nodes,
        idle_time_before_scale_down=120,
        tags={"droptune": "compute"},
    )
    with azure_errors(f"make the compute {name}"):
        computes.begin_create_or_update(cluster)
        return computes.get(name)


def _plain(state: Any) -> str:
    return str(getattr(state, "value", state) or "")  # the SDK gives an enum or a text


@lru_cache(maxsize=32)
def _gpus(size: str) -> int:
    with azure_errors("list the compute sizes"):
        sizes = ml.workspace().compute.list_sizes()
    count = next((int(found.gpus or 0) for found in sizes if str(found.name).lower() == size.lower()), 0)
    if count < 1:
        raise UserError(f"{size} has no GPU", "name a compute with one", "compute")
    return count
