"""Datastores by name, and the addresses that lie in them.

The default ones are those that every workspace has: learn.microsoft.com/azure/machine-learning/concept-data.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from azureml_box.errors import BadRequest, NotFound
from azureml_box.stamps import stamp

if TYPE_CHECKING:
    from azureml_box.context import Box

KIND = "datastores"
DEFAULT = "workspaceblobstore"
ARTIFACTS = "workspaceartifactstore"

_ADDRESS = re.compile(
    r"^azureml://(?:subscriptions/[^/]+/resourcegroups/[^/]+/(?:providers/[^/]+/)?workspaces/(?P<workspace>[^/]+)/)?"
    r"datastores/(?P<name>[^/]+)(?:/paths/?(?P<path>.*))?$",
    re.IGNORECASE,
)


def default_datastores(box: Box) -> dict[str, dict[str, Any]]:
    """What a new workspace has; both lie in the workspace's account and hand out SAS."""
    return {
        DEFAULT: _document(box, DEFAULT, f"azureml-blobstore-{box.config.workspace_id}", is_default=True),
        ARTIFACTS: _document(box, ARTIFACTS, "azureml", is_default=False),
    }


def _document(box: Box, name: str, container: str, *, is_default: bool) -> dict[str, Any]:
    properties = {
        "datastoreType": "AzureBlob",
        "accountName": box.config.storage_account,
        "containerName": container,
        "endpoint": box.config.storage_suffix,
        "protocol": "https",
        "serviceDataAccessAuthIdentity": "None",
        "isDefault": is_default,
        "credentials": {"credentialsType": "Sas"},
        "description": None,
        "tags": {},
        "properties": {},
    }
    return {
        "id": f"{box.config.workspace_scope}/datastores/{name}",
        "name": name,
        "type": "Microsoft.MachineLearningServices/workspaces/datastores",
        "systemData": stamp(),
        "properties": properties,
    }


def find(box: Box, name: str) -> dict[str, Any]:
    """The datastore's document; names are compared without case, as Azure does."""
    doc = box.store.get(KIND, name.lower())
    if doc is None:
        raise NotFound(f"Could not find datastore with name {name!r}. Check the name with `datastores.list()`.")
    return doc


def resolve(box: Box, uri: str) -> tuple[str, str]:
    """(container, path) of a datastore address, or of an https URL below the workspace's account."""
    if uri.startswith("https://"):
        return _resolve_url(box, uri)
    match = _ADDRESS.match(uri)
    if match is None:
        raise BadRequest(f"{uri!r} is no address in a datastore (azureml://datastores/NAME/paths/PATH) or of a blob.")
    if match["workspace"] and match["workspace"].lower() != box.config.workspace.lower():
        raise NotFound(f"{uri!r} names workspace {match['workspace']!r}; this is {box.config.workspace!r}.")
    properties = find(box, match["name"])["properties"]
    if properties["datastoreType"] != "AzureBlob":
        raise BadRequest(
            f"Datastore {match['name']!r} is {properties['datastoreType']}; the emulator reads AzureBlob only."
        )
    return str(properties["containerName"]), unquote(match["path"] or "")


def is_own(box: Box, url: str) -> bool:
    """Whether a URL lies in the workspace's account."""
    # The SDK writes the account as https://ACCOUNT.blob.x@127.0.0.1:PORT/ACCOUNT: what stands before the @ is userinfo.
    asked, ours = urlsplit(url), urlsplit(box.config.storage_url)
    same_host = (asked.scheme, asked.hostname, asked.port) == (ours.scheme, ours.hostname, ours.port)
    return same_host and asked.path.startswith(ours.path.rstrip("/") + "/")


def _resolve_url(box: Box, url: str) -> tuple[str, str]:
    asked = urlsplit(url)
    if not is_own(box, url):
        raise BadRequest(f"{asked.hostname}{asked.path} lies outside the workspace's storage account.")
    base = urlsplit(box.config.storage_url).path.rstrip("/") + "/"
    container, _, path = unquote(asked.path[len(base) :]).partition("/")
    if not container:
        raise BadRequest(f"{asked.path!r} names no container.")
    return container, path


def long_form(box: Box, uri: str) -> str:
    """`azureml://datastores/…` with the workspace written out, as the service gives addresses back."""
    match = _ADDRESS.match(uri)
    if match is None:
        return uri
    head = f"azureml://subscriptions/{box.config.subscription}/resourcegroups/{box.config.resource_group}"
    return f"{head}/workspaces/{box.config.workspace}/datastores/{match['name']}/paths/{match['path'] or ''}"
