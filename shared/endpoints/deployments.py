"""Online endpoints and deployments of Azure ML. Nothing here waits: start it, look at it later."""

from __future__ import annotations

from typing import Any

from shared.azure import arm, ml
from shared.azure.failures import azure_errors
from shared.errors import ForeignResourceError, NotFoundError
from shared.runs.identity import TAG_RUN

TAG = "droptune"
PROBE_DELAY_SECONDS = 600
REQUEST_TIMEOUT_MS = 90_000
LOG_LINES = 200


def path(endpoint: str, deployment: str = "") -> str:
    """The ARM path of an endpoint or of one of its deployments."""
    base = f"{arm.workspace_id()}/onlineEndpoints/{endpoint}"
    return f"{base}/deployments/{deployment}" if deployment else base


def find_endpoint(endpoint: str, name: str) -> dict[str, Any] | None:
    """The endpoint as ARM shows it, or None.

    Raises:
        ForeignResourceError: it does not bear our tag for this dataset's name.
    """
    found = _find(path(endpoint))
    if found is not None and (found.get("tags") or {}).get(TAG) != name:
        raise ForeignResourceError(f"an endpoint called {endpoint!r} exists and is not ours", "delete or rename it")
    return found


def start_endpoint(endpoint: str, name: str) -> None:
    """Starts making an endpoint with key authentication."""
    from azure.ai.ml.entities import ManagedOnlineEndpoint

    wanted = ManagedOnlineEndpoint(
        name=endpoint, auth_mode="key", description=f"{name}, tuned by droptune", tags={TAG: name}
    )
    with azure_errors(f"make the endpoint {endpoint}"):
        ml.workspace().online_endpoints.begin_create_or_update(wanted)


def find_deployment(endpoint: str, deployment: str) -> dict[str, Any] | None:
    """The deployment as ARM shows it, or None."""
    return _find(path(endpoint, deployment))


def list_deployments(endpoint: str) -> list[dict[str, Any]]:
    """All deployments of an endpoint; none where the endpoint is gone."""
    found = _find(path(endpoint) + "/deployments")
    return list(found.get("value", [])) if found else []


def start_deployment(endpoint: str, deployment: str, model_id: str, instance_type: str, run: str) -> None:
    """Starts making a deployment of a registered MLflow model, without traffic."""
    from azure.ai.ml.entities import ManagedOnlineDeployment, OnlineRequestSettings, ProbeSettings

    wanted = ManagedOnlineDeployment(
        name=deployment,
        endpoint_name=endpoint,
        model=model_id,
        instance_type=instance_type,
        instance_count=1,
        liveness_probe=ProbeSettings(initial_delay=PROBE_DELAY_SECONDS),
        request_settings=OnlineRequestSettings(request_timeout_ms=REQUEST_TIMEOUT_MS),
        tags={TAG_RUN: run},
    )
    with azure_errors(f"deploy {deployment} to {endpoint}"):
        ml.workspace().online_deployments.begin_create_or_update(wanted)


def set_traffic(endpoint: str, traffic: dict[str, int]) -> None:
    """Starts moving the endpoint's traffic (per cent by deployment)."""
    endpoints = ml.workspace().online_endpoints
    with azure_errors(f"move the traffic of {endpoint}"):
        wanted = endpoints.get(endpoint)
        wanted.traffic = traffic
        endpoints.begin_create_or_update(wanted)


def start_delete(endpoint: str, deployment: str) -> None:
    """Starts deleting a deployment; it is no error where there is none."""
    try:
        arm.call("DELETE", path(endpoint, deployment))
    except NotFoundError:
        return


def state_of(resource: dict[str, Any]) -> str:
    """`Succeeded`, `Failed`, `Creating`, `Updating`, `Deleting`, …"""
    return str(resource.get("properties", {}).get("provisioningState", ""))


def traffic_of(endpoint: dict[str, Any]) -> dict[str, int]:
    """The endpoint's traffic in per cent, without zeros."""
    traffic = endpoint.get("properties", {}).get("traffic") or {}
    return {name: int(share) for name, share in traffic.items() if int(share) > 0}


def log_tail(endpoint: str, deployment: str) -> str:
    """The last line of the container's log, which says most about why a deployment failed."""
    try:
        answer = arm.call(
            "POST",
            path(endpoint, deployment) + "/getLogs",
            body={"containerType": "InferenceServer", "tail": LOG_LINES},
        )
    except NotFoundError:
        return ""
    lines = [line for line in str(answer.get("content", "")).splitlines() if line.strip()]
    return lines[-1][:500] if lines else ""


def primary_key(endpoint: str) -> str:
    """The endpoint's key; it never leaves the function."""
    return str(arm.call("POST", path(endpoint) + "/listKeys", version="2022-02-01-preview")["primaryKey"])


def _find(resource: str) -> dict[str, Any] | None:
    try:
        return arm.call("GET", resource)
    except NotFoundError:
        return None
