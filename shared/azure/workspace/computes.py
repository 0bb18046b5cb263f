"""Clusters, machine sizes and quotas of the workspace."""

from __future__ import annotations

from typing import Any

from shared.azure import arm, ml
from shared.azure.failures import azure_errors
from shared.azure.seen import Compute, Size, Usage
from shared.errors import NotFoundError
from shared.settings import settings

SCALE_DOWN_SECONDS = 120
COMPUTES_API = "2024-04-01"


class AzureComputes:
    """Clusters, sizes and quotas."""

    def find(self, name: str) -> Compute | None:
        """The compute of this name, or None."""
        try:
            found = arm.call("GET", f"{arm.workspace_id()}/computes/{name}", version=COMPUTES_API)
        except NotFoundError:
            return None
        return _compute(name, found.get("properties") or {})

    def start(self, name: str, size: str, nodes: int, tags: dict[str, str]) -> None:
        """Starts making a cluster that scales to 0, with the identity of the settings."""
        wanted = cluster(name, size, nodes, tags, settings().compute_identity)
        with azure_errors(f"make the compute {name}"):
            ml.workspace().compute.begin_create_or_update(wanted)

    def sizes(self) -> list[Size]:
        """The sizes that the workspace's region offers."""
        with azure_errors("list the compute sizes"):
            found = list(ml.workspace().compute.list_sizes())
        return [_size(one) for one in found]

    def usages(self) -> list[Usage]:
        """What is used of each quota of the subscription in the workspace's region."""
        with azure_errors("list the compute usage"):
            found = list(ml.workspace().compute.list_usage())
        return [_usage(one) for one in found if "/workspaces/" not in str(_told(one, "id"))]


def cluster(name: str, size: str, nodes: int, tags: dict[str, str], identity: str) -> Any:
    """A cluster as the SDK takes it; `identity` is the ARM id of a user-assigned one, or empty."""
    ml.import_sdk()
    from azure.ai.ml.entities import AmlCompute, IdentityConfiguration, ManagedIdentityConfiguration

    runs_as = None
    if identity:
        assigned = [ManagedIdentityConfiguration(resource_id=identity)]
        runs_as = IdentityConfiguration(type="user_assigned", user_assigned_identities=assigned)
    return AmlCompute(
        name=name,
        size=size,
        tier="Dedicated",
        min_instances=0,
        max_instances=nodes,
        idle_time_before_scale_down=SCALE_DOWN_SECONDS,
        tags=tags,
        identity=runs_as,
    )


def _compute(name: str, properties: dict[str, Any]) -> Compute:
    inner = properties.get("properties") or {}
    scale = inner.get("scaleSettings") or {}
    return Compute(
        name,
        str(inner.get("vmSize") or ""),
        str(properties.get("provisioningState") or "").lower(),
        nodes=int(scale.get("maxNodeCount") or 1),
        held=int(inner.get("currentNodeCount") or 0),
        least=int(scale.get("minNodeCount") or 0),
        dedicated=str(inner.get("vmPriority") or "Dedicated").lower() == "dedicated",
    )


def _size(one: Any) -> Size:
    cores = int(_told(one, "v_cp_us", "vCPUs") or 0)
    return Size(str(one.name), str(one.family or ""), cores, int(one.gpus or 0))


def _usage(one: Any) -> Usage:
    name, limit = one.name, _told(one, "limit")
    family = name.get("value") if isinstance(name, dict) else getattr(name, "value", name)
    used = int(_told(one, "current_value", "currentValue") or 0)
    return Usage(str(family or ""), used, -1 if limit is None else int(limit))


def _told(one: Any, *names: str) -> Any:
    """The first of these attributes that is set.

    The SDK's entities are filled from `as_dict()` of its generated models, whose keys became those of the wire in 1.35:
    `v_cp_us` and `current_value` are None there, and the value stands in `vCPUs` and `currentValue`.
    """
    return next((value for name in names if (value := getattr(one, name, None)) is not None), None)
