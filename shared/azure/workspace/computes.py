"""Clusters, machine sizes and quotas of the workspace."""

from __future__ import annotations

from typing import Any

from shared.azure import ml
from shared.azure.failures import azure_errors
from shared.azure.seen import Compute, Size, Usage
from shared.errors import NotFoundError

SCALE_DOWN_SECONDS = 120


class AzureComputes:
    """Clusters, sizes and quotas."""

    def find(self, name: str) -> Compute | None:
        """The compute of this name, or None."""
        try:
            with azure_errors(f"look at the compute {name}"):
                found: Any = ml.workspace().compute.get(name)
        except NotFoundError:
            return None
        nodes = int(getattr(found, "max_instances", None) or 1)
        return Compute(name, str(getattr(found, "size", "") or ""), _plain(found.provisioning_state).lower(), nodes)

    def start(self, name: str, size: str, nodes: int, tags: dict[str, str]) -> None:
        """Starts making a cluster that scales to 0."""
        from azure.ai.ml.entities import AmlCompute

        wanted = AmlCompute(
            name=name,
            size=size,
            tier="Dedicated",
            min_instances=0,
            max_instances=nodes,
            idle_time_before_scale_down=SCALE_DOWN_SECONDS,
            tags=tags,
        )
        with azure_errors(f"make the compute {name}"):
            ml.workspace().compute.begin_create_or_update(wanted)

    def sizes(self) -> list[Size]:
        """The sizes that the workspace's region offers."""
        with azure_errors("list the compute sizes"):
            found = list(ml.workspace().compute.list_sizes())
        return [Size(str(one.name), str(one.family or ""), int(one.v_cp_us or 0), int(one.gpus or 0)) for one in found]

    def usages(self) -> list[Usage]:
        """What is used of each quota in the workspace's region."""
        with azure_errors("list the compute usage"):
            found = list(ml.workspace().compute.list_usage())
        return [_usage(one) for one in found]


def _usage(one: Any) -> Usage:
    name = one.name if isinstance(one.name, str) else getattr(one.name, "value", "")
    return Usage(str(name or ""), int(one.current_value or 0), int(one.limit or 0))


def _plain(state: Any) -> str:
    return str(getattr(state, "value", state) or "")  # the SDK gives an enum or a text
