"""The cluster that trains: got or created, its state, size and GPUs checked."""

from __future__ import annotations

from dataclasses import dataclass

from shared.azure import roles
from shared.azure.outside import outside
from shared.azure.seen import Compute
from shared.errors import DeniedError, TransientError, UserError
from shared.settings import Settings
from shared.training import hardware, offer
from shared.training.base_model import BaseModel

UNSUITED = {"standard_nc6", "standard_nc12", "standard_nc24", "standard_nc24r"}


@dataclass(frozen=True)
class Cluster:
    """A compute cluster as the pipeline needs it; it holds `held` nodes now and never fewer than `least`."""

    name: str
    size: str
    nodes: int
    gpus: int
    held: int = 0
    least: int = 0
    dedicated: bool = True


def ready(name: str, settings: Settings, model: BaseModel) -> Cluster:
    """The cluster of this name, made where it is missing (it scales to 0), checked for the base model.

    Raises:
        UserError: it failed to be made, has no GPU, or its size is not on the model's list.
    """
    compute = _get_or_create(name, settings)
    size, state = compute.size, compute.state
    if state == "failed":
        raise UserError(f"the compute {name!r} is in the state failed", "delete it or name another one", "compute")
    check_size(name, size, model)
    if state not in ("succeeded", ""):
        raise TransientError(f"the compute {name!r} is being made ({state})")
    return Cluster(name, size, compute.nodes, _gpus(size), compute.held, compute.least, compute.dedicated)


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


def _get_or_create(name: str, settings: Settings) -> Compute:
    computes = outside().computes
    found = computes.find(name)
    if found is not None:
        return found
    if name != settings.compute:
        fix = f"name a cluster of the workspace, or leave `compute` out to use {settings.compute!r}"
        raise UserError(f"the workspace has no compute {name!r}", fix, "compute")
    with roles.needed("clusters"):
        computes.start(name, settings.compute_size, settings.compute_nodes, {"droptune": "compute"})
    return computes.find(name) or Compute(name, settings.compute_size, "creating", settings.compute_nodes)


def _gpus(size: str) -> int:
    try:
        known = offer.sizes().get(size.lower())
        count = known.gpus if known else 0
    except DeniedError:
        count = hardware.gpus_of(size)
    if count < 1:
        raise UserError(f"{size} has no GPU", "name a compute with one", "compute")
    return count
