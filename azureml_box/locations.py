"""What a region has: sizes, and the quota of the subscription there."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from azureml_box import computes
from azureml_box.errors import BadRequest
from azureml_box.http import json
from azureml_box.sizes import SIZES, UNRESERVED, find_size

if TYPE_CHECKING:
    from azureml_box.context import Box

# Every family is granted what 100 deployments of its largest size need.
_DEPLOYMENTS = 100
_RESERVE = 1.2


def routes(box: Box) -> list[Route]:
    """vmSizes, usages and quotas of the one region, below the subscription."""
    base = (
        f"/subscriptions/{box.config.subscription}/providers/Microsoft.MachineLearningServices/locations/{{location}}"
    )

    async def sizes(request: Request) -> Response:
        """The sizes of the region."""
        _known_location(box, request)
        return json({"value": [size.document() for size in SIZES.values()]})

    async def usages(request: Request) -> Response:
        """Cores granted and in use, by family."""
        _known_location(box, request)
        return json({"value": _usages(box)})

    return [Route(f"{base}/vmSizes", sizes), Route(f"{base}/usages", usages), Route(f"{base}/quotas", usages)]


def _known_location(box: Box, request: Request) -> None:
    asked = request.path_params["location"]
    if asked.lower() != box.config.location.lower():
        message = f"The location '{asked}' is not available; this emulator is the region '{box.config.location}'."
        raise BadRequest(message, "LocationNotAvailableForResourceType", "location")


def _usages(box: Box) -> list[dict[str, Any]]:
    used = cores_in_use(box)
    largest: dict[str, int] = {}
    for size in SIZES.values():
        largest[size.family] = max(size.cores, largest.get(size.family, 0))
    return [_usage(box, family, used.get(family, 0), _limit(cores)) for family, cores in largest.items()]


def _limit(cores: int) -> int:
    return _DEPLOYMENTS * math.ceil(_RESERVE) * cores


def cores_in_use(box: Box) -> dict[str, int]:
    """Cores by family that deployments and the nodes of clusters hold; of a low-priority cluster they don't count.

    A deployment holds ceil(1.2 x instances) x cores, where its size is not exempt. Source: how-to-manage-quotas and
    reference-managed-online-endpoints-vm-sku-list below learn.microsoft.com/azure/machine-learning.
    """
    used: dict[str, int] = {}
    for name, count in [*_deployed(box), *_clustered(box)]:
        size = find_size(name)
        if size is not None:
            used[size.family] = used.get(size.family, 0) + count * size.cores
    return used


def _deployed(box: Box) -> Iterator[tuple[str, int]]:
    for doc in box.store.list("onlineDeployments"):
        name = str(doc.get("properties", {}).get("instanceType") or "")
        instances = int((doc.get("sku") or {}).get("capacity") or 1)
        yield name, instances if name.lower() in UNRESERVED else math.ceil(_RESERVE * instances)


def _clustered(box: Box) -> Iterator[tuple[str, int]]:
    busy = computes.running(box)
    for doc in box.store.list(computes.KIND):
        inner = doc["properties"].get("properties") or {}
        if doc["properties"]["computeType"] == "AmlCompute" and str(inner.get("vmPriority")).lower() == "dedicated":
            held = computes.with_nodes(doc, busy)["properties"]["properties"]["currentNodeCount"]
            yield str(inner.get("vmSize")), int(held)


def _usage(box: Box, family: str, used: int, limit: int) -> dict[str, Any]:
    scope = f"/subscriptions/{box.config.subscription}/providers/Microsoft.MachineLearningServices"
    return {
        "id": f"{scope}/locations/{box.config.location}/usages/{family}",
        "type": "Microsoft.MachineLearningServices/usages",
        "amlWorkspaceLocation": box.config.location,
        "unit": "Count",
        "currentValue": used,
        "limit": limit,
        "name": {"value": family, "localizedValue": family},
    }
