"""Cores before money: is there quota for the training, and for the deployment that comes after it?

Two checks, one after the other, as the two never hold their cores together for long: a cluster gives its nodes back
when nothing runs, so that what it holds is free for the deployment. A limit or use that nobody may see stops no run:
the service's own refusal costs nothing for training, and a word of warning stands in the run's timeline.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from shared.azure import roles
from shared.azure.outside import outside
from shared.azure.seen import Usage
from shared.errors import DeniedError, NotFoundError, RejectedError, UserError
from shared.settings import settings
from shared.training import offer
from shared.training.base_model import BaseModel
from shared.training.compute import Cluster

RESERVE = 1.2  # managed online endpoints keep a fifth back for their own upgrades
INSTANCES = 1  # of a deployment of ours
# The sizes for which they don't ("Skip 20% Reservation"; source: learn.microsoft.com/azure/machine-learning/
# reference-managed-online-endpoints-vm-sku-list, October 2025).
_UNRESERVED = re.compile(
    r"standard_(nc(24|48|96)ads_a100_v4|nc40ads_h100_v5|nc80adis_h100_v5|nd96amsr_a100_v4|nd96asr_v4|nd40rs_v2|nd96isr?_h100_v5)"
)
TOTAL = "Total Cluster Dedicated Regional vCPUs"


@dataclass(frozen=True)
class Need:
    """So many cores of a family, for something; `freed` of the family's and `freed_all` of all will be free by then."""

    what: str
    family: str
    cores: int
    freed: int = 0
    freed_all: int = 0


def check(model: BaseModel, cluster: Cluster, nodes: int, instance_type: str) -> str:
    """Whether the region has the sizes and the quota for a run; what could not be seen, in a sentence, or nothing.

    The job runs on so many `nodes` of the cluster.

    Raises:
        UserError: the cluster has fewer nodes, a size is not to be had, or cores are missing; it says how many, of what, and how to get them.
    """
    if nodes > cluster.nodes:
        told = (
            f"the job asks for {nodes} nodes (num_nodes_finetune), and the compute {cluster.name!r} has {cluster.nodes}"
        )
        raise UserError(told, "ask for fewer, or let the cluster grow: the job would wait for ever", "compute")
    try:
        wanted = needs(model, cluster, nodes, instance_type)
        usages = outside().computes.usages()
    except (DeniedError, NotFoundError, RejectedError) as error:
        return f"quota was not checked: {error.reason}; {roles.told('locations')}"
    for need in wanted:
        if told := short(need, usages):
            raise UserError(told, _mend(need), "compute")
    unknown = [need.family for need in wanted if not _of(usages, need.family)]
    return f"quota was not checked: Azure lists none of {', '.join(dict.fromkeys(unknown))}" if unknown else ""


def needs(model: BaseModel, cluster: Cluster, nodes: int, instance_type: str) -> list[Need]:
    """What the training needs beyond what its cluster holds, and what the deployment will need.

    Raises:
        UserError: a size is retired, not the model's, or not offered here.
        DeniedError: the sizes may not be seen.
    """
    trains = offer.checked(f"the compute {cluster.name!r}", cluster.size, model.allow_list("finetune"), "compute")
    serves = offer.checked("the deployment", instance_type, model.allow_list("inference"), "deploy.instance_type")
    serving = reserved(serves.name, INSTANCES) * serves.cores
    if not cluster.dedicated:
        return [Need(f"the deployment on {serves.name}", serves.family, serving)]
    cores = trains.cores * max(0, nodes - cluster.held)
    freed = trains.cores * max(0, cluster.held - cluster.least)
    same = _bare(trains.family) == _bare(serves.family)
    return [
        Need(f"training on {nodes} x {trains.name}", trains.family, cores),
        Need(f"the deployment on {serves.name}", serves.family, serving, freed if same else 0, freed),
    ]


def reserved(size: str, instances: int) -> int:
    """For how many instances a deployment needs quota, as Azure rounds.

    >>> reserved("Standard_DS3_v2", 10), reserved("Standard_DS3_v2", 1), reserved("Standard_NC24ads_A100_v4", 1)
    (12, 2, 1)
    """
    return instances if _UNRESERVED.fullmatch(size.lower()) else math.ceil(round(RESERVE * instances, 6))


def short(need: Need, usages: list[Usage]) -> str:
    """What is missing for a need, in a sentence with its numbers; empty where nothing is, or no limit is known."""
    entries = [(usage, need.freed) for usage in _of(usages, need.family)]
    for usage, freed in [*entries, *((usage, need.freed_all) for usage in _of(usages, TOTAL))]:
        free = max(0, usage.limit - max(0, usage.used - freed))
        if usage.limit >= 0 and need.cores > free:
            return (
                f"{need.what} needs {need.cores} cores of {usage.family}, and {free} are free "
                f"({usage.used} of {usage.limit} are in use): {need.cores - free} are missing"
            )
    return ""


def _of(usages: list[Usage], family: str) -> list[Usage]:
    return [usage for usage in usages if _bare(usage.family) == _bare(family)]


def _bare(family: str) -> str:
    """A family as its size and its quota both spell it.

    Sizes say `standardNCADSA100v4Family`, quotas that or `Standard NCADSA100v4 Family Cluster Dedicated vCPUs`.
    """
    return re.sub(r"[^a-z0-9]", "", family.lower()).removesuffix("clusterdedicatedvcpus")


def _mend(need: Need) -> str:
    chosen = settings()
    look = f"az ml compute list-usage -g {chosen.resource_group} -w {chosen.workspace_name}"
    return (
        f"ask for more cores of {need.family} (https://ml.azure.com: Quota, the family, Request quota), end what holds "
        f"them (`{look}` shows it), or name a smaller size; then retry the run"
    )
