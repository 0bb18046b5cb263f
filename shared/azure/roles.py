"""Which role each call outside needs: the table behind every "denied", and behind docs/permissions.md.

Permissions: learn.microsoft.com/azure/role-based-access-control/permissions/ai-machine-learning; what the built-in roles
hold: learn.microsoft.com/azure/role-based-access-control/built-in-roles and AZURE_FACTS, last section.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from shared.errors import DeniedError
from shared.settings import settings

_ML = "Microsoft.MachineLearningServices"


@dataclass(frozen=True)
class Grant:
    """What a call needs: a permission, a role that has it, and on what the role must be given."""

    call: str
    permission: str
    role: str
    on: str


_DATA = "Microsoft.Storage/storageAccounts"
NOT_GIVEN = {
    "clusters": "infra/ makes the cluster, with the identity that may read snapshots",
    "registry": "whoever is signed in may read the public registry azureml; needed on a private one",
}

GRANTS = {
    "blobs": Grant(
        "read, write and list blobs",
        f"{_DATA}/blobServices/containers/blobs/*",
        "Storage Blob Data Owner",
        "storage account",
    ),
    "blob tags": Grant(
        "tag blobs",
        f"{_DATA}/blobServices/containers/blobs/tags/write",
        "Storage Blob Data Owner",
        "storage account",
    ),
    "queue": Grant(
        "put messages on the queue",
        f"{_DATA}/queueServices/queues/messages/*",
        "Storage Queue Data Contributor",
        "storage account",
    ),
    "topic": Grant("publish events", "Microsoft.EventGrid/events/send/action", "EventGrid Data Sender", "topic"),
    "metrics": Grant(
        "read the endpoint's request metric", "Microsoft.Insights/metrics/read", "Monitoring Reader", "workspace"
    ),
    "tracking": Grant(
        "read metrics of jobs", f"{_ML}/workspaces/experiments/runs/read", "AzureML Data Scientist", "workspace"
    ),
    "scoring": Grant("ask a deployment", "none: the endpoint's own key", "none", "endpoint"),
    "jobs": Grant("look at, submit and cancel jobs", f"{_ML}/workspaces/jobs/*", "AzureML Data Scientist", "workspace"),
    "models": Grant("register models", f"{_ML}/workspaces/models/*", "AzureML Data Scientist", "workspace"),
    "endpoints": Grant(
        "look at, make and delete endpoints and deployments",
        f"{_ML}/workspaces/onlineEndpoints/*",
        "AzureML Data Scientist",
        "workspace",
    ),
    "computes": Grant("look at computes", f"{_ML}/workspaces/computes/read", "AzureML Data Scientist", "workspace"),
    "clusters": Grant("make the cluster", f"{_ML}/workspaces/computes/write", "AzureML Compute Operator", "workspace"),
    "locations": Grant(
        "see sizes and quota", f"{_ML}/locations/*/read", "a custom role with that permission", "subscription"
    ),
    "registry": Grant(
        "look up the base model and the pipeline", f"{_ML}/registries/assets/read", "AzureML Registry User", "registry"
    ),
}


def told(name: str) -> str:
    """How the lack of a grant is mended, with the command where one role does it."""
    grant = GRANTS[name]
    need = f"to {grant.call} the app's identity needs {grant.permission} on the {grant.on}"
    if grant.on in ("subscription", "endpoint"):
        return f"{need}: {grant.role} (docs/permissions.md)"
    if name == "clusters":  # infra/ leaves it out where Azure would refuse it
        need = f"`azd provision` makes the cluster once there is quota for one node of it; {need}"
    return f"{need}: give it the role {grant.role} (`{command(name)}`; docs/permissions.md)"


def command(name: str, assignee: str = "--assignee IDENTITY") -> str:
    """The command that gives a grant's role; for sizes and quota, the one that makes and gives the role of infra/."""
    grant = GRANTS[name]
    if grant.on == "subscription":
        return "azd provision"
    return f"az role assignment create {assignee} --role '{grant.role}' --scope {_scope(grant.on)}"


@contextmanager
def needed(name: str) -> Iterator[None]:
    """Where a call inside is denied, says which role is missing."""
    try:
        yield
    except DeniedError as error:
        raise DeniedError(error.reason, told(name), error.status) from error


def _scope(on: str) -> str:
    """What a role is given on: an id, or a command that finds it where our settings name only its address."""
    chosen = settings()
    if on == "storage account":
        account = (urlsplit(chosen.account_url).hostname or "").partition(".")[0]
        return f'"$(az storage account show --name {account} --query id --output tsv)"'
    if on == "registry":
        return f'"$(az ml registry show --name {chosen.registry_name} --query id --output tsv)"'
    if on == "topic":
        found = f"az eventgrid topic list --query \"[?endpoint=='{chosen.events_endpoint}'].id\" --output tsv"
        return f'"$({found})"'
    group = f"/subscriptions/{chosen.subscription_id}/resourceGroups/{chosen.resource_group}"
    return f"{group}/providers/{_ML}/workspaces/{chosen.workspace_name}"
