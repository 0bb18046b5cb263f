"""What a region has: sizes, and the quota of the subscription there."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from azureml_box.errors import BadRequest
from azureml_box.http import json
from azureml_box.sizes import SIZES, find_size

if TYPE_CHECKING:
    from azureml_box.context import Box

# Every family is granted what 100 deployments of its largest size need.
_DEPLOYMENTS = 100


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
    return _DEPLOYMENTS * math.ceil(1.2 * cores)


def cores_in_use(box: Box) -> dict[str, int]:
    """Cores by family that deployments hold: ceil(1.2 x instances) x cores, as managed endpoints reserve them.

    Source: learn.microsoft.com/azure/machine-learning/how-to-manage-quotas (managed online endpoints).
    """
    used: dict[str, int] = {}
    for doc in box.store.list("onlineDeployments"):
        size = find_size(str(doc.get("properties", {}).get("instanceType") or ""))
        if size is not None:
            instances = int((doc.get("sku") or {}).get("capacity") or 1)
            used[size.family] = used.get(size.family, 0) + math.ceil(1.2 * instances) * size.cores
    return used


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
