"""What differs between kinds of assets: how the properties that PUT sends become those that GET answers.

Shapes: the design's contract table ("Bodies"), seen with azure-ai-ml 1.35.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from azureml_box.asset_paths import located, must_exist
from azureml_box.errors import BadRequest

if TYPE_CHECKING:
    from azureml_box.context import Box

Properties = dict[str, Any]
Normaliser = Callable[["Box", str, str, Properties], Awaitable[Properties]]

_DATA_TYPES = ("uri_file", "uri_folder", "mltable")


def common(sent: Properties) -> Properties:
    """Every version has these; objects, never null, as the SDK iterates over them."""
    return {
        **sent,
        "description": sent.get("description"),
        "tags": sent.get("tags") or {},
        "properties": sent.get("properties") or {},
        "isArchived": bool(sent.get("isArchived")),
        "isAnonymous": bool(sent.get("isAnonymous")),
        "provisioningState": "Succeeded",
    }


async def model(box: Box, _name: str, _version: str, sent: Properties) -> Properties:
    """A model's files must be there when it is registered."""
    uri = located(box, _required(sent, "modelUri"))
    await must_exist(box, uri)
    kind = sent.get("modelType") or "custom_model"
    return {
        **common(sent),
        "modelUri": uri,
        "modelType": kind,
        "flavors": sent.get("flavors") or {},
        "jobName": sent.get("jobName"),
    }


async def data(box: Box, _name: str, _version: str, sent: Properties) -> Properties:
    """Data may point anywhere; a folder's address ends in a slash."""
    kind = sent.get("dataType") or "uri_folder"
    if kind not in _DATA_TYPES:
        raise BadRequest(f"dataType {kind!r} is not one of {', '.join(_DATA_TYPES)}.", target="properties.dataType")
    uri = located(box, _required(sent, "dataUri"))
    if kind != "uri_file":
        uri = uri.rstrip("/") + "/"
    made = {**common(sent), "dataUri": uri, "dataType": kind}
    del made["provisioningState"]  # versions of data have none
    return made


async def code(_box: Box, _name: str, _version: str, sent: Properties) -> Properties:
    """Code is where the upload put it."""
    return {**common(sent), "codeUri": _required(sent, "codeUri")}


async def environment(_box: Box, _name: str, _version: str, sent: Properties) -> Properties:
    """An environment is kept; the first job that uses it builds it."""
    if not sent.get("image") and not sent.get("build"):
        raise BadRequest("An environment needs an image or a build context.", target="properties.image")
    return {**common(sent), "environmentType": "UserCreated", "osType": sent.get("osType") or "Linux"}


async def component(_box: Box, name: str, version: str, sent: Properties) -> Properties:
    """The spec comes back with its name and version filled in."""
    spec = dict(sent.get("componentSpec") or {})
    if not spec:
        raise BadRequest("componentSpec is required.", target="properties.componentSpec")
    if not (sent.get("isAnonymous") and spec.get("version")):  # an anonymous one keeps what its author wrote
        spec["version"] = version
    spec.setdefault("name", name)
    if spec.get("type") == "command" and not spec.get("resources"):
        spec["resources"] = {"instance_count": 1}
    if distribution := spec.get("distribution"):
        spec["distribution"] = {key: _text(value) for key, value in distribution.items()}
    return {**common(sent), "componentSpec": spec}


def _text(value: Any) -> Any:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _required(sent: Properties, name: str) -> str:
    value = sent.get(name)
    if not isinstance(value, str) or not value:
        raise BadRequest(f"{name} is required.", target=f"properties.{name}")
    return value


# kind -> (normaliser, the property that can't change once it is set)
KINDS: dict[str, tuple[Normaliser, str]] = {
    "models": (model, "modelUri"),
    "components": (component, "componentSpec"),
    "environments": (environment, "image"),
    "data": (data, "dataUri"),
    "codes": (code, "codeUri"),
}
