"""The documents of jobs, as `GET …/jobs/{name}` shows them; what begins with an underscore stays inside."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

from azureml_box.errors import NotFound
from azureml_box.stamps import now, stamp

if TYPE_CHECKING:
    from azureml_box.context import Box

KIND = "jobs"
ENDS = ("Completed", "Failed", "Canceled")


# Fields that the service answers of a command though nobody sent them, as recorded.
_UNSET: dict[str, Any] = {
    **dict.fromkeys(("codeId", "computeId", "distribution", "autologgerSettings", "limits", "queueSettings")),
    "environmentVariables": {},
    "resources": {"instanceCount": 1, "instanceType": None, "properties": None, "shmSize": "2g", "dockerArgs": None},
}


def get(box: Box, name: str) -> dict[str, Any]:
    """A job's document.

    Raises:
        NotFound: there is none.
    """
    doc = box.store.get(KIND, name)
    if doc is None:
        raise NotFound(f"Run with ID {name} was not found in workspace {box.config.workspace}.", "UserError")
    return doc


def make(box: Box, name: str, properties: dict[str, Any], *, parent: str | None, root: str) -> dict[str, Any]:
    """A new job in the state NotStarted."""
    config = box.config
    # As recorded of the real service: without the tenant, which the SDK appends, and with the short scope.
    scope = f"/subscriptions/{config.subscription}/resourcegroups/{config.resource_group}/workspaces/{config.workspace}"
    studio = f"https://ml.azure.local/runs/{name}?wsid={scope}"
    tracking = f"azureml://{config.base_url.removeprefix('https://')}/mlflow/v1.0{config.workspace_scope}?"
    filled = {
        "displayName": name,
        "experimentName": "Default",
        "tags": {},
        "properties": {},
        "inputs": {},
        "outputs": {},
        "isArchived": False,
        "description": None,
        "componentId": None,
        "identity": None,
        "services": {
            "Studio": _service("Studio", studio),
            "Tracking": _service("Tracking", tracking),
        },
        **(deepcopy(_UNSET) if properties.get("jobType") == "Command" else {}),
        **{key: value for key, value in properties.items() if value is not None},
        "status": "NotStarted",
    }
    fill_modes(filled)
    return {
        "id": f"{config.workspace_scope}/jobs/{name}",
        "name": name,
        "type": "Microsoft.MachineLearningServices/workspaces/jobs",
        "properties": filled,
        "systemData": stamp(),
        "_parent": parent,
        "_root": root,
        "_created": now(),
    }


def fill_modes(properties: dict[str, Any]) -> None:
    """How files are handed over, where nothing was said: Azure answers its own defaults."""
    for part, kind, mode in (
        ("inputs", "jobInputType", "ReadOnlyMount"),
        ("outputs", "jobOutputType", "ReadWriteMount"),
    ):
        for entry in (properties.get(part) or {}).values():
            if isinstance(entry, dict) and entry.get(kind, "literal") != "literal" and not entry.get("mode"):
                entry["mode"] = mode


def _service(kind: str, endpoint: str) -> dict[str, Any]:
    return {
        "jobServiceType": kind,
        "port": None,
        "endpoint": endpoint,
        "status": None,
        "errorMessage": None,
        "properties": None,
        "nodes": None,
    }


def children(box: Box, name: str) -> list[dict[str, Any]]:
    """The jobs whose direct parent this is, in the order in which they were made."""
    return [doc for doc in box.store.list(KIND) if doc.get("_parent") == name]
