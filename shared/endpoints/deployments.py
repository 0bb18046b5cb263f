"""The endpoint of a dataset's name and its deployments: whose they are, and how they are begun and ended."""

from __future__ import annotations

from shared.azure.outside import outside
from shared.azure.seen import OnlineDeployment, OnlineEndpoint
from shared.endpoints import causes
from shared.errors import ForeignResourceError, RejectedError
from shared.runs.identity import TAG_RUN

TAG = "droptune"


def find_endpoint(endpoint: str, name: str) -> OnlineEndpoint | None:
    """The endpoint, or None.

    Raises:
        ForeignResourceError: it does not bear our tag for this dataset's name.
    """
    found = outside().online.find(endpoint)
    if found is not None and found.tags.get(TAG) != name:
        raise ForeignResourceError(f"an endpoint called {endpoint!r} exists and is not ours", "delete or rename it")
    return found


def start_endpoint(endpoint: str, name: str) -> None:
    """Starts making an endpoint with key authentication."""
    outside().online.start(endpoint, f"{name}, tuned by droptune", {TAG: name})


def find_deployment(endpoint: str, deployment: str, run: str = "") -> OnlineDeployment | None:
    """The deployment, or None.

    Raises:
        ForeignResourceError: `run` is given, and it does not bear that run's tag.
    """
    found = outside().online.deployment(endpoint, deployment)
    if found is not None and run and found.tags.get(TAG_RUN) != run:
        told = f"a deployment called {deployment!r} exists at {endpoint!r} and is not ours"
        raise ForeignResourceError(told, "delete or rename it")
    return found


def is_gone(endpoint: str, deployment: str) -> bool:
    """Whether a deployment is there no more, by two witnesses: a single 404 may be wrong, and what stands bills."""
    if outside().online.deployment(endpoint, deployment) is not None:
        return False
    return not stands(endpoint, deployment)


def stands(endpoint: str, deployment: str) -> bool:
    """Whether the listing shows a deployment."""
    return any(one.name == deployment for one in outside().online.deployments(endpoint))


def is_listed(endpoint: str) -> bool:
    """Whether the listing shows an endpoint: making one that stands would take its traffic."""
    return any(one.name == endpoint for one in outside().online.all())


def start_deployment(endpoint: str, deployment: str, model_id: str, instance_type: str, run: str) -> str:
    """Starts making a deployment of a registered MLflow model, without traffic; where its operation is told of.

    Raises:
        RejectedError: Azure refuses it at once; a `PassingFailureError` where that passes by itself.
    """
    try:
        return outside().online.start_deployment(endpoint, deployment, model_id, instance_type, {TAG_RUN: run})
    except RejectedError as error:
        raise causes.refused(error) from error


def failure(endpoint: str, deployment: str, operation: str) -> RejectedError:
    """Why a deployment failed, by what its operation said and how its log ends."""
    code, message = outside().online.failure(operation)
    return causes.failure(deployment, code, message, log_tail(endpoint, deployment))


def log_tail(endpoint: str, deployment: str) -> str:
    """The last line of the container's log, which says most about why a deployment failed."""
    lines = [line for line in outside().online.log(endpoint, deployment).splitlines() if line.strip()]
    return lines[-1][:500] if lines else ""
