"""Before `azd down`: deletes what bills and what would block the next `azd up`, and says first what that is.

A workspace and a vault are only soft-deleted by `azd down`, so their names stay taken; the role for sizes and quota lies
at the subscription, outside the resource group. In a workspace that was brought along only endpoints that bear our tag
and what we made there go. It asks before; DROPTUNE_DOWN=yes answers for where nobody can (pipelines).
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from infra.hooks.az import AzError, arm, az, gone, say, setting

ML_API, AUTHORIZATION_API, LOGS_API = "2025-06-01", "2022-04-01", "2023-09-01"
OURS = "droptune"  # the tags of an endpoint: droptune-…
WAIT_SECONDS, PAUSE_SECONDS = 1500.0, 15.0


@dataclass(frozen=True)
class Goes:
    """Something that is deleted: what people read, and the call."""

    told: str
    delete: Callable[[], Any]


def endpoints(workspace: str, all_of_them: bool) -> list[str]:
    """The ids of the workspace's online endpoints: all, or those that bear our tag."""
    try:
        found = (arm("get", f"{workspace}/onlineEndpoints", ML_API) or {}).get("value", [])
    except AzError as error:
        if gone(error):
            return []
        raise
    return [one["id"] for one in found if all_of_them or any(key.startswith(OURS) for key in (one.get("tags") or {}))]


def plan() -> list[Goes]:
    """What is deleted, in order: what bills first."""
    workspace, owned = _workspace(), setting("DROPTUNE_OWNS_WORKSPACE", "true").lower() == "true"
    found = [
        Goes(f"endpoint {_last(one)}", partial(_delete, one, ML_API, wait=False)) for one in endpoints(workspace, owned)
    ]
    if owned:
        found.append(
            Goes(f"workspace {_last(workspace)}, purged", partial(_delete, workspace, ML_API, forceToPurge="true"))
        )
    else:
        found += [
            Goes("compute gpu-cluster", _cluster(workspace)),
            Goes("datastore snapshots", partial(_delete, f"{workspace}/datastores/snapshots", ML_API)),
        ]
    for name, told in (("ASSIGNMENT", "assignment of the role for quota"), ("ROLE", "role for quota")):
        if resource := os.environ.get(f"DROPTUNE_QUOTA_{name}_ID", ""):
            found.append(Goes(told, partial(_delete, resource, AUTHORIZATION_API)))
    if vault := os.environ.get("DROPTUNE_VAULT_NAME", ""):
        found.append(Goes(f"vault {vault}, purged", partial(_purge_vault, vault)))
    if logs := os.environ.get("DROPTUNE_LOGS_NAME", ""):
        found.append(Goes(f"logs {logs}, purged", partial(_purge_logs, logs)))
    return found


def leave(found: list[Goes], wait_seconds: float = WAIT_SECONDS, pause: float = PAUSE_SECONDS) -> None:
    """Deletes in order; endpoints are awaited, since a workspace that holds some is not deleted.

    Raises:
        AzError: something could not be deleted.
    """
    for one in found:
        if one.told.startswith(("workspace", "compute")):
            _await_no_endpoints(wait_seconds, pause)
        say(f"deleting {one.told}")
        try:
            one.delete()
        except AzError as error:
            if not gone(error):
                raise


def agreed(answer: Callable[[str], str] = input) -> bool:
    """Whether somebody agrees: by DROPTUNE_DOWN=yes, or asked."""
    if os.environ.get("DROPTUNE_DOWN", "") == "yes":
        return True
    if not sys.stdin.isatty():
        say("nobody can be asked here: set DROPTUNE_DOWN=yes (azd env set DROPTUNE_DOWN yes) to agree")
        return False
    return answer("delete these? type yes: ").strip().lower() == "yes"


def main() -> int:
    """Show, ask, delete; 1 stops `azd down`."""
    try:
        found = plan()
        say("droptune: before azd deletes the resource group, these go for good:")
        for one in found:
            say(f"  {one.told}")
        if not agreed():
            return 1
        leave(found)
    except AzError as error:
        say(f"droptune: {error}\nnothing more was deleted; mend it, then: azd down")
        return 1
    return 0


def _workspace() -> str:
    group = setting("AZUREML_WORKSPACE_GROUP", setting("AZURE_RESOURCE_GROUP"))
    return (
        f"/subscriptions/{setting('AZURE_SUBSCRIPTION_ID')}/resourceGroups/{group}"
        f"/providers/Microsoft.MachineLearningServices/workspaces/{setting('AZUREML_WORKSPACE_NAME')}"
    )


def _await_no_endpoints(seconds: float, pause: float) -> None:
    owned = setting("DROPTUNE_OWNS_WORKSPACE", "true").lower() == "true"
    ends = time.monotonic() + seconds
    while left := endpoints(_workspace(), owned):
        if time.monotonic() > ends:
            raise AzError(f"still there after {seconds:.0f} s: {', '.join(_last(one) for one in left)}")
        time.sleep(pause)


def _cluster(workspace: str) -> Callable[[], Any]:
    return partial(_delete, f"{workspace}/computes/gpu-cluster", ML_API, underlyingResourceAction="Delete")


def _delete(resource: str, version: str, wait: bool = True, **query: str) -> None:
    arm("delete", resource, version, **query)
    ends = time.monotonic() + WAIT_SECONDS
    while wait and _is_there(resource, version):
        if time.monotonic() > ends:
            raise AzError(f"{_last(resource)} is still there after {WAIT_SECONDS:.0f} s")
        time.sleep(PAUSE_SECONDS)


def _is_there(resource: str, version: str) -> bool:
    try:
        return arm("get", resource, version) is not None
    except AzError as error:
        if gone(error):
            return False
        raise


def _purge_vault(name: str) -> None:
    """Deletes it, which only hides it, and then for good: also where an earlier try ended between the two."""
    where = ("--name", name, "--subscription", setting("AZURE_SUBSCRIPTION_ID"))
    try:
        az("keyvault", "delete", *where)
    except AzError as error:
        if not gone(error):
            raise
    az("keyvault", "purge", *where)


def _purge_logs(name: str) -> None:
    group = f"/subscriptions/{setting('AZURE_SUBSCRIPTION_ID')}/resourceGroups/{setting('AZURE_RESOURCE_GROUP')}"
    logs = f"{group}/providers/Microsoft.OperationalInsights/workspaces/{name}"
    _delete(logs, LOGS_API, force="true")


def _last(resource: str) -> str:
    return resource.rsplit("/", 1)[-1]


if __name__ == "__main__":
    sys.exit(main())
