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

from infra.hooks.az import AzError, arm, gone, listed, say, setting
from infra.hooks.made import AUTHORIZATION_API, Made, made

ML_API, LOGS_API, VAULT_API = "2025-06-01", "2023-09-01", "2023-07-01"
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
        found = listed(f"{workspace}/onlineEndpoints", ML_API)
    except AzError as error:
        if gone(error):
            return []
        raise
    return [one["id"] for one in found if all_of_them or any(key.startswith(OURS) for key in (one.get("tags") or {}))]


def plan(there: Made) -> list[Goes]:
    """What is deleted, in order: what bills first."""
    return [*_workspace(there), *_role(there), *_soft_deleted(there)]


def leave(found: list[Goes]) -> None:
    """Deletes in order.

    Raises:
        AzError: something could not be deleted.
    """
    for one in found:
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
        there = made()
        found = plan(there) if there else []
        if not found:
            say("droptune: nothing of this environment is left that azd does not delete by itself")
            return 0
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


def _workspace(there: Made) -> list[Goes]:
    if not there.workspace:
        return []
    serving = endpoints(there.workspace, there.owned)
    found = [Goes(f"endpoint {_last(one)}", partial(arm, "delete", one, ML_API)) for one in serving]
    if there.owned:
        purged = partial(_after_endpoints, there, there.workspace, forceToPurge="true")
        return [*found, Goes(f"workspace {_last(there.workspace)}, purged", purged)]
    if there.cluster:
        ended = partial(_after_endpoints, there, there.cluster, underlyingResourceAction="Delete")
        found.append(Goes(f"compute {_last(there.cluster)}", ended))
    if there.datastore:
        found.append(Goes(f"datastore {_last(there.datastore)}", partial(_delete, there.datastore, ML_API)))
    return found


def _role(there: Made) -> list[Goes]:
    found = [
        Goes("assignment of the role for quota", partial(_delete, one, AUTHORIZATION_API)) for one in there.assignments
    ]
    if there.role:
        found.append(Goes("role for quota", partial(_delete, there.role, AUTHORIZATION_API)))
    return found


def _soft_deleted(there: Made) -> list[Goes]:
    found = []
    if there.vault:
        found.append(Goes(f"vault {_last(there.vault)}, purged", partial(_purge_vault, there.vault)))
    if there.logs:
        found.append(Goes(f"logs {_last(there.logs)}, purged", partial(_delete, there.logs, LOGS_API, force="true")))
    return found


def _after_endpoints(there: Made, resource: str, **query: str) -> None:
    """Deletes once no endpoint is left: a workspace that holds some is not deleted."""
    ends = time.monotonic() + WAIT_SECONDS
    while left := endpoints(there.workspace, there.owned):
        if time.monotonic() > ends:
            raise AzError(f"still there after {WAIT_SECONDS:.0f} s: {', '.join(_last(one) for one in left)}")
        time.sleep(PAUSE_SECONDS)
    _delete(resource, ML_API, **query)


def _delete(resource: str, version: str, **query: str) -> None:
    """Deletes, and waits until it is gone."""
    ends = time.monotonic() + WAIT_SECONDS
    _start_to_delete(resource, version, ends, **query)
    _await_gone(resource, version, ends)


def _start_to_delete(resource: str, version: str, ends: float, **query: str) -> None:
    while True:
        try:
            arm("delete", resource, version, **query)
            return
        except AzError as error:  # a role whose assignment went a moment ago
            if "RoleDefinitionHasAssignments" not in str(error) or time.monotonic() > ends:
                raise
            time.sleep(PAUSE_SECONDS)


def _await_gone(resource: str, version: str, ends: float) -> None:
    while _is_there(resource, version):
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


def _purge_vault(vault: str) -> None:
    """Deletes it, which only hides it, and then for good: also where an earlier try ended between the two."""
    try:
        _delete(vault, VAULT_API)
    except AzError as error:
        if not gone(error):
            raise
    where = f"/subscriptions/{setting('AZURE_SUBSCRIPTION_ID')}/providers/Microsoft.KeyVault"
    hidden = f"{where}/locations/{setting('AZURE_LOCATION')}/deletedVaults/{_last(vault)}"
    if _is_there(hidden, VAULT_API):
        arm("post", f"{hidden}/purge", VAULT_API)
        _await_gone(hidden, VAULT_API, time.monotonic() + WAIT_SECONDS)


def _last(resource: str) -> str:
    return resource.rsplit("/", 1)[-1]


if __name__ == "__main__":
    sys.exit(main())
