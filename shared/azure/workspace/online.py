"""Online endpoints and deployments by ARM and the SDK. Nothing here waits: start it, look at it later."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from shared.azure import arm, ml
from shared.azure.failures import azure_errors
from shared.azure.seen import OnlineDeployment, OnlineEndpoint, Served, texts
from shared.azure.workspace import traffic
from shared.errors import NotFoundError
from shared.settings import settings

PROBE_DELAY_SECONDS = 600
REQUEST_TIMEOUT_MS = 90_000
LOG_LINES = 200


class AzureOnline:
    """Managed online endpoints."""

    def find(self, endpoint: str) -> OnlineEndpoint | None:
        """The endpoint, or None."""
        found = _find(path(endpoint))
        return _endpoint(found) if found else None

    def all(self) -> list[OnlineEndpoint]:
        """All endpoints of the workspace."""
        return [_endpoint(entry) for entry in arm.pages(f"{arm.workspace_id()}/onlineEndpoints")]

    def start(self, endpoint: str, description: str, tags: dict[str, str]) -> None:
        """Starts making an endpoint with key authentication."""
        ml.import_sdk()
        from azure.ai.ml.entities import ManagedOnlineEndpoint

        wanted = ManagedOnlineEndpoint(name=endpoint, auth_mode="key", description=description, tags=tags)
        with azure_errors(f"make the endpoint {endpoint}"):
            ml.workspace().online_endpoints.begin_create_or_update(wanted)

    def set_traffic(self, endpoint: str, shares: dict[str, int], mirror: dict[str, int]) -> None:
        """Starts moving the endpoint's traffic (per cent by deployment), and what is mirrored of it."""
        endpoints = ml.workspace().online_endpoints
        with azure_errors(f"move the traffic of {endpoint}"):
            wanted = endpoints.get(endpoint)
            wanted.traffic, wanted.mirror_traffic = shares, mirror
            endpoints.begin_create_or_update(wanted)

    def delete(self, endpoint: str) -> None:
        """Starts deleting an endpoint with all its deployments; it is no error where there is none."""
        _delete(path(endpoint))

    def key(self, endpoint: str) -> str:
        """The endpoint's key; it never leaves the function."""
        return str(arm.call("POST", path(endpoint) + "/listKeys", version="2022-02-01-preview")["primaryKey"])

    def deployment(self, endpoint: str, name: str) -> OnlineDeployment | None:
        """The deployment, or None."""
        found = _find(path(endpoint, name)) if name else None  # without a name it is the endpoint's own address
        return _deployment(found) if found else None

    def deployments(self, endpoint: str) -> list[OnlineDeployment]:
        """All deployments of an endpoint; none where the endpoint is gone."""
        try:
            return [_deployment(entry) for entry in arm.pages(path(endpoint) + "/deployments")]
        except NotFoundError:
            return []

    def start_deployment(
        self, endpoint: str, name: str, model_id: str, instance_type: str, tags: dict[str, str]
    ) -> str:
        """Starts making a deployment of a registered MLflow model, without traffic; where its operation is told of."""
        ml.import_sdk()
        from azure.ai.ml.entities import ManagedOnlineDeployment, OnlineRequestSettings, ProbeSettings

        wanted = ManagedOnlineDeployment(
            name=name,
            endpoint_name=endpoint,
            model=model_id,
            instance_type=instance_type,
            instance_count=1,
            liveness_probe=ProbeSettings(initial_delay=PROBE_DELAY_SECONDS),
            request_settings=OnlineRequestSettings(
                request_timeout_ms=REQUEST_TIMEOUT_MS,
                max_concurrent_requests_per_instance=settings().concurrent_requests,
            ),
            tags=tags,
        )
        with azure_errors(f"deploy {name} to {endpoint}"):
            poller = ml.workspace().online_deployments.begin_create_or_update(wanted)
        return _operation(poller)

    def failure(self, operation: str) -> tuple[str, str]:
        """Code and message of an operation that failed; empty where it did not, or nothing is known of it any more."""
        try:
            answer = arm.follow(operation) if operation else {}
        except NotFoundError:
            return "", ""
        said = answer.get("error") or {}
        return str(said.get("code") or ""), str(said.get("message") or "")

    def delete_deployment(self, endpoint: str, name: str) -> None:
        """Starts deleting a deployment; it is no error where there is none."""
        if name:
            _delete(path(endpoint, name))

    def log(self, endpoint: str, deployment: str) -> str:
        """The end of the container's log; empty where there is none."""
        asked = {"containerType": "InferenceServer", "tail": LOG_LINES}
        try:
            answer = arm.call("POST", path(endpoint, deployment) + "/getLogs", body=asked)
        except NotFoundError:
            return ""
        return str(answer.get("content") or "")

    def requests(self, endpoint: str, since: datetime, until: datetime) -> dict[str, float]:
        """Requests that the endpoint answered by minute (`2026-01-31T10:05`); no entry is no request."""
        return traffic.by_minute(path(endpoint), since, until)

    def served(self, endpoint: str, since: datetime, until: datetime) -> dict[str, Served]:
        """What each deployment served in a time."""
        return traffic.by_deployment(path(endpoint), since, until)


def path(endpoint: str, deployment: str = "") -> str:
    """The ARM path of an endpoint or of one of its deployments."""
    base = f"{arm.workspace_id()}/onlineEndpoints/{endpoint}"
    return f"{base}/deployments/{deployment}" if deployment else base


def _find(resource: str) -> dict[str, Any] | None:
    try:
        return arm.call("GET", resource)
    except NotFoundError:
        return None


def _delete(resource: str) -> None:
    try:
        arm.call("DELETE", resource)
    except NotFoundError:
        return


def _endpoint(entry: dict[str, Any]) -> OnlineEndpoint:
    said = entry.get("properties", {})
    uri, tags = str(said.get("scoringUri") or ""), texts(entry.get("tags"))
    return OnlineEndpoint(
        _name(entry), _state(said), tags, _shares(said, "traffic"), uri, _shares(said, "mirrorTraffic")
    )


def _shares(said: dict[str, Any], which: str) -> dict[str, int]:
    return {name: int(share) for name, share in (said.get(which) or {}).items() if int(share) > 0}


def _deployment(entry: dict[str, Any]) -> OnlineDeployment:
    said = entry.get("properties", {})
    requests, instances = said.get("requestSettings") or {}, (entry.get("sku") or {}).get("capacity")
    return OnlineDeployment(
        _name(entry),
        _state(said),
        texts(entry.get("tags")),
        str(said.get("instanceType") or ""),
        int(requests.get("maxConcurrentRequestsPerInstance") or 1) * int(instances or 1),
    )


def _name(entry: dict[str, Any]) -> str:
    return str(entry.get("name", "")).rsplit("/", 1)[-1]


def _state(said: dict[str, Any]) -> str:
    return str(said.get("provisioningState", "")).lower()


def _operation(poller: Any) -> str:
    """The address of a long-running operation below the resource manager; empty where the SDK hides it.

    What failed is told there only: the deployment itself says no more than `Failed`.
    """
    began = getattr(poller.polling_method(), "_initial_response", None)
    headers = getattr(getattr(began, "http_response", None), "headers", None) or {}
    parts = urlsplit(headers.get("Azure-AsyncOperation", ""))
    ours = parts.netloc == urlsplit(arm.base_url()).netloc  # our token goes nowhere else
    return f"{parts.path}?{parts.query}" if ours else ""
