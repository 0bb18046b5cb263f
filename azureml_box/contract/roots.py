"""Which model of the ARM reference the body of an operation is, by its path below workspace or registry."""

from __future__ import annotations

import re

_VERSIONS = {
    "models": "ModelVersion",
    "data": "DataVersionBase",
    "codes": "CodeVersion",
    "environments": "EnvironmentVersion",
    "components": "ComponentVersion",
}
# Paths with `*` for names -> model.
ROOTS = {
    **{f"{kind}/*/versions/*": model for kind, model in _VERSIONS.items()},
    **{
        f"{kind}/*": model.replace("VersionBase", "Container").replace("Version", "Container")
        for kind, model in _VERSIONS.items()
    },
    "": "Registry",
    "datastores/*": "Datastore",
    "computes/*": "ComputeResource",
    "onlineEndpoints/*": "OnlineEndpoint",
    "onlineEndpoints/*/deployments/*": "OnlineDeployment",
    "onlineEndpoints/*/deployments/*/getLogs": "DeploymentLogsRequest",
    "onlineEndpoints/*/regenerateKeys": "RegenerateEndpointKeysRequest",
    "schedules/*": "Schedule",
}
# Fields that are sent and that the models don't have: `model_dataplane/operations/_patch.py` of azure-ai-ml 1.35; and what an
# older emulator added to its answers, from where the SDK sends it back.
BESIDES = {"ModelVersionProperties": ("system_metadata",)} | dict.fromkeys(
    ("DataVersionBaseProperties", "UriFileDataVersion", "UriFolderDataVersion", "MLTableData"), ("provisioningState",)
)
_BELOW = re.compile(
    r"/providers/Microsoft\.MachineLearningServices/(workspaces|registries|locations)/[^/]+/?(?P<tail>.*)$",
    re.IGNORECASE,
)


def shape(path: str) -> tuple[str, str] | None:
    """(workspaces, registries or locations; the path below one of them, names as `*`), or None elsewhere."""
    match = _BELOW.search(path)
    if match is None:
        return None
    parts = match["tail"].split("/") if match["tail"] else []
    # Below a collection come a name and then a fixed segment, in turns.
    return match[1].lower(), "/".join("*" if index % 2 else part for index, part in enumerate(parts))


def named(path: str) -> tuple[str, list[str]]:
    """The collection that a path leads into, and the names on the way: (`models`, [name, version])."""
    match = _BELOW.search(path)
    parts = match["tail"].split("/") if match and match["tail"] else []
    return (parts[0] if parts else ""), parts[1::2]
