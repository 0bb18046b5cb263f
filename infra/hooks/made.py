"""What an environment has in Azure, for `azd down`.

azd's outputs tell it. Where the first provision failed there are none: then what lies in the resource group does, whose
name and whose resources' names `infra/main.bicep` makes from the environment.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field

from infra.hooks.az import AzError, gone, listed, setting

GROUPS_API, AUTHORIZATION_API = "2021-04-01", "2022-04-01"
TOKEN = re.compile(r"-([a-z2-7]{13})$")


@dataclass(frozen=True)
class Made:
    """Ids of what goes before azd deletes the resource group, empty where there is none; `owned`: the workspace is ours."""

    workspace: str = ""
    owned: bool = True
    cluster: str = ""
    datastore: str = ""
    assignments: list[str] = field(default_factory=list)
    role: str = ""
    vault: str = ""
    logs: str = ""


def made() -> Made | None:
    """What there is; None: nothing of this environment.

    Raises:
        AzError: it could not be listed, or azd's environment names no subscription.
    """
    return _told() if os.environ.get("AZUREML_WORKSPACE_NAME") else _found()


def _told() -> Made:
    group = setting("AZURE_RESOURCE_GROUP")
    workspace = _workspace(setting("AZUREML_WORKSPACE_GROUP", group), setting("AZUREML_WORKSPACE_NAME"))
    vault, logs = os.environ.get("DROPTUNE_VAULT_NAME", ""), os.environ.get("DROPTUNE_LOGS_NAME", "")
    assignment = os.environ.get("DROPTUNE_QUOTA_ASSIGNMENT_ID", "")
    return Made(
        workspace=workspace,
        owned=setting("DROPTUNE_OWNS_WORKSPACE", "true").lower() == "true",
        cluster=f"{workspace}/computes/{setting('DROPTUNE_CLUSTER', 'gpu-cluster')}",
        datastore=f"{workspace}/datastores/{setting('DROPTUNE_DATASTORE', 'snapshots')}",
        assignments=[assignment] if assignment else [],
        role=os.environ.get("DROPTUNE_QUOTA_ROLE_ID", ""),
        vault=_in_group(group, f"Microsoft.KeyVault/vaults/{vault}") if vault else "",
        logs=_in_group(group, f"Microsoft.OperationalInsights/workspaces/{logs}") if logs else "",
    )


def _found() -> Made | None:
    group = f"rg-{setting('AZURE_ENV_NAME')}-droptune"
    try:
        there = listed(f"{_subscription()}/resourceGroups/{group}/resources", GROUPS_API)
    except AzError as error:
        if gone(error):
            return None
        raise
    of_kind = {str(one["type"]).lower(): str(one["id"]) for one in there}
    tokens = [match[1] for one in there if (match := TOKEN.search(str(one["name"])))]
    role, assignments = _role(tokens[0]) if tokens else ("", [])
    brought = os.environ.get("DROPTUNE_EXISTING_WORKSPACE", "")
    workspace = of_kind.get("microsoft.machinelearningservices/workspaces", "")
    if brought:
        workspace = _workspace(setting("DROPTUNE_EXISTING_WORKSPACE_GROUP"), brought)
    return Made(
        workspace=workspace,
        owned=not brought,
        cluster=f"{workspace}/computes/gpu-{tokens[0]}" if brought and tokens else "",
        datastore=f"{workspace}/datastores/snapshots_{tokens[0]}" if brought and tokens else "",
        assignments=assignments,
        role=role,
        vault=of_kind.get("microsoft.keyvault/vaults", ""),
        logs=of_kind.get("microsoft.operationalinsights/workspaces", ""),
    )


def _role(token: str) -> tuple[str, list[str]]:
    """The role for sizes and quota, and its assignments: they lie at the subscription."""
    below = f"{_subscription()}/providers/Microsoft.Authorization"
    custom = {"$filter": "type eq 'CustomRole'"}
    for one in listed(f"{below}/roleDefinitions", AUTHORIZATION_API, **custom):
        if str(one["properties"]["roleName"]).endswith(f"({token})"):
            given = listed(f"{below}/roleAssignments", AUTHORIZATION_API, **{"$filter": "atScope()"})
            name = str(one["name"])
            return str(one["id"]), [
                str(each["id"]) for each in given if str(each["properties"]["roleDefinitionId"]).endswith(name)
            ]
    return "", []


def _subscription() -> str:
    return f"/subscriptions/{setting('AZURE_SUBSCRIPTION_ID')}"


def _in_group(group: str, resource: str) -> str:
    return f"{_subscription()}/resourceGroups/{group}/providers/{resource}"


def _workspace(group: str, name: str) -> str:
    return _in_group(group, f"Microsoft.MachineLearningServices/workspaces/{name}")
