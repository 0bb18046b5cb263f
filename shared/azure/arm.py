"""Direct calls to Azure Resource Manager, for where one call must not pay for the whole ML SDK (1.4 s)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from shared.azure.credential import credential
from shared.azure.failures import azure_errors
from shared.settings import settings

if TYPE_CHECKING:
    from azure.core import PipelineClient

API_VERSION = "2023-04-01-preview"
METRICS_API_VERSION = "2023-10-01"
TIMEOUT = 20


@lru_cache(maxsize=1)
def base_url() -> str:
    """The resource manager's address: the public cloud's, or what ARM_CLOUD_METADATA_URL names."""
    import os

    metadata = os.environ.get("ARM_CLOUD_METADATA_URL")
    if not metadata:
        return "https://management.azure.com"
    from urllib.parse import urlsplit

    parts = urlsplit(metadata)
    return f"{parts.scheme}://{parts.netloc}"


def workspace_id() -> str:
    """The ARM id of the workspace."""
    chosen = settings()
    return (
        f"/subscriptions/{chosen.subscription_id}/resourceGroups/{chosen.resource_group}"
        f"/providers/Microsoft.MachineLearningServices/workspaces/{chosen.workspace_name}"
    )


@lru_cache(maxsize=1)
def _client() -> PipelineClient[Any, Any]:
    from azure.core import PipelineClient
    from azure.core.pipeline.policies import BearerTokenCredentialPolicy, RetryPolicy

    scope = f"{base_url()}/.default"
    return PipelineClient(
        base_url(),
        policies=[RetryPolicy(retry_total=3), BearerTokenCredentialPolicy(credential(), scope)],
    )


def call(
    method: str,
    path: str,
    *,
    version: str = API_VERSION,
    query: dict[str, str] | None = None,
    body: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Sends a request below the resource manager and returns the JSON answer.

    Raises:
        ServiceError: one of its kinds, by status.
    """
    return _send(method, f"{base_url()}{path}", {"api-version": version, **(query or {})}, body)


def pages(path: str, *, version: str = API_VERSION, query: dict[str, str] | None = None) -> Iterator[dict[str, Any]]:
    """The entries of a listing; a page is asked for when those before it were taken."""
    asked = dict(query or {})
    while True:
        page = call("GET", path, version=version, query=asked)
        yield from page.get("value", [])
        skip = skip_token(page.get("nextLink"))
        if not skip:
            return
        asked["$skip"] = skip


def follow(link: str) -> dict[str, Any]:
    """What an address below the resource manager answers that it gave itself: with its own version and signature."""
    return _send("GET", f"{base_url()}{link}", {}, None)


def skip_token(link: str | None) -> str:
    """The token of a listing's next page, from its `nextLink`; empty where there is none."""
    from urllib.parse import parse_qs, urlsplit

    return parse_qs(urlsplit(link or "").query).get("$skip", [""])[0]


def tracking(method: str, path: str, *, query: dict[str, str]) -> dict[str, Any]:
    """Asks the workspace's MLflow tracking service (`runs/get`, `metrics/get-history`, …)."""
    return _send(method, f"{_tracking_url()}/api/2.0/mlflow/{path}", query, None)


@lru_cache(maxsize=1)
def _tracking_url() -> str:
    """Where runs are tracked: MLFLOW_TRACKING_URI where it is a plain URL, else the workspace's own address."""
    import os

    plain = os.environ.get("MLFLOW_TRACKING_URI", "")
    if plain.startswith("https://"):
        return plain.rstrip("/")
    workspace = call("GET", workspace_id(), version="2023-08-01-preview")
    uri = str(workspace["properties"]["mlFlowTrackingUri"])
    return uri.replace("azureml://", "https://").replace("/mlflow/v1.0/", "/mlflow/v2.0/").rstrip("/")


def _send(method: str, url: str, query: dict[str, str], body: dict[str, Any] | None) -> dict[str, Any]:
    from azure.core.exceptions import HttpResponseError
    from azure.core.rest import HttpRequest

    request = HttpRequest(method, url, params=query, json=body)
    with azure_errors(f"{method} …/{'/'.join(url.rsplit('/', 2)[-2:])}"):
        answer = _client().send_request(request, connection_timeout=5, read_timeout=TIMEOUT)
        if answer.status_code >= 400:
            answer.read()
            raise HttpResponseError(response=answer)
        return dict(answer.json()) if answer.content else {}
