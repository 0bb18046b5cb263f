"""A deployment's ARM document: what was sent is checked, what Azure adds is added."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from azureml_box.errors import BadRequest
from azureml_box.serving.launch import seconds
from azureml_box.sizes import find_size
from azureml_box.stamps import stamp

if TYPE_CHECKING:
    from azureml_box.context import Box

_LONGEST_REQUEST = 180.0
_MOST_INSTANCES = 50
# What Azure fills in where nothing was sent: defaults of azure-ai-ml's ProbeSettings and OnlineRequestSettings.
_REQUESTS = {"requestTimeout": "PT5S", "maxConcurrentRequestsPerInstance": 1, "maxQueueWait": "PT0.5S"}
_PROBE = {"initialDelay": "PT10S", "period": "PT10S", "timeout": "PT2S", "successThreshold": 1, "failureThreshold": 30}


def checked(sent: dict[str, Any], location: str) -> dict[str, Any]:
    """The request's document, or BadRequest in Azure's terms."""
    given = sent.get("properties") or {}
    if str(given.get("endpointComputeType") or "Managed") != "Managed":
        raise BadRequest(f"endpointComputeType {given['endpointComputeType']!r} is not emulated; Managed is.")
    if sent.get("location") and str(sent["location"]).lower() != location.lower():
        raise BadRequest(f"Location {sent['location']!r} is not the workspace's, {location!r}.", target="location")
    if not given.get("model") and not given.get("codeConfiguration"):
        raise BadRequest("A deployment needs a model or a codeConfiguration.", "BadArgument", "properties.model")
    size = given.get("instanceType")
    if not size or find_size(str(size)) is None:
        message = f"Instance type {size!r} is not offered in {location}; see {{location}}/vmSizes."
        raise BadRequest(message, "BadArgument", "properties.instanceType")
    _check_numbers(sent, given)
    return sent


def _check_numbers(sent: dict[str, Any], given: dict[str, Any]) -> None:
    instances = (sent.get("sku") or {}).get("capacity", 1)
    if not isinstance(instances, int) or not 1 <= instances <= _MOST_INSTANCES:
        message = f"The instance count must be a whole number from 1 to {_MOST_INSTANCES}, not {instances!r}."
        raise BadRequest(message, "BadArgument", "sku.capacity")
    timeout = seconds((given.get("requestSettings") or {}).get("requestTimeout"), 5)
    if not 0 < timeout <= _LONGEST_REQUEST:
        message = f"requestTimeout may be at most {_LONGEST_REQUEST:.0f} s, not {timeout:g} s."
        raise BadRequest(message, "BadArgument", "properties.requestSettings.requestTimeout")


def document(
    box: Box, endpoint: dict[str, Any], name: str, sent: dict[str, Any], before: dict[str, Any] | None
) -> dict[str, Any]:
    """The whole resource; the private `_live` of the old one is what goes on serving meanwhile."""
    given = {key: value for key, value in (sent.get("properties") or {}).items() if value is not None}
    properties = {
        **given,
        "endpointComputeType": "Managed",
        "appInsightsEnabled": bool(given.get("appInsightsEnabled")),
        "scaleSettings": given.get("scaleSettings") or {"scaleType": "Default"},
        "requestSettings": _filled(_REQUESTS, given.get("requestSettings")),
        "livenessProbe": _filled(_PROBE, given.get("livenessProbe")),
        "readinessProbe": _filled(_PROBE, given.get("readinessProbe")),
        "environmentVariables": given.get("environmentVariables") or {},
        "egressPublicNetworkAccess": given.get("egressPublicNetworkAccess") or "Enabled",
        "properties": given.get("properties") or {},
    }
    return {
        "id": f"{endpoint['id']}/deployments/{name}",
        "name": name,
        "type": "Microsoft.MachineLearningServices/workspaces/onlineEndpoints/deployments",
        "location": box.config.location,
        "tags": sent.get("tags") or {},
        "kind": "Managed",
        "sku": {"name": "Default", "tier": "Standard", "capacity": int((sent.get("sku") or {}).get("capacity") or 1)},
        "identity": None,
        "systemData": stamp(before),
        "properties": properties,
        "_key": f"{endpoint['name']}/{name}",
        "_live": (before or {}).get("_live"),
        "_source": (before or {}).get("_source"),
    }


def _filled(defaults: dict[str, Any], given: dict[str, Any] | None) -> dict[str, Any]:
    return {**defaults, **{key: value for key, value in (given or {}).items() if value is not None}}
