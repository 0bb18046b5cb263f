"""What a body may not be: no JSON, no text, too deep, or of other kinds than the ARM reference has in the same places.

Only names that Azure gives are looked at: tags, properties of an asset, inputs and the like have names of their users.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from azureml_box.errors import BadRequest

_OBJECTS = {
    *("tags", "properties", "identity", "sku", "credentials", "componentSpec", "traffic", "mirrorTraffic", "keys"),
    *("flavors", "build", "codeConfiguration", "environmentVariables", "scaleSettings", "requestSettings"),
    *("livenessProbe", "readinessProbe", "template", "parameters", "dataCollector"),
}
_TEXTS = {
    *(
        "location",
        "description",
        "name",
        "id",
        "type",
        "kind",
        "modelUri",
        "dataUri",
        "codeUri",
        "dataType",
        "modelType",
    ),
    *("image", "condaFile", "osType", "datastoreType", "accountName", "containerName", "computeType", "authMode"),
    *("instanceType", "endpointComputeType", "vmSize", "vmPriority", "displayName", "environmentId", "stage", "runId"),
    *("keyType", "keyValue", "containerType", "assetId"),
}
_NUMBERS, _LISTS = {"tail"}, {"values", "paths"}


def parsed(raw: bytes) -> dict[str, Any]:
    """The JSON object of a body; an empty body is an empty object.

    Raises:
        BadRequest: it is none.
    """
    try:
        doc = json.loads(raw, parse_constant=_finite, parse_float=_finite) if raw.strip() else {}
        if b"\\ud" in raw.lower():
            json.dumps(doc, ensure_ascii=False).encode()  # half of a surrogate pair is no text
    except RecursionError:
        raise _invalid("it is nested too deeply") from None
    except ValueError as error:
        raise BadRequest(f"The request body is not JSON: {error}", "InvalidRequestContent") from None
    if not isinstance(doc, dict):
        raise BadRequest(f"The request body must be a JSON object, not {type(doc).__name__}.", "InvalidRequestContent")
    return doc


def check(path: str, doc: Mapping[str, Any]) -> None:
    """Look at the names that ARM has at the top, in `properties`, and in the properties of a compute.

    Raises:
        BadRequest: one is of another kind.
    """
    if "/providers/microsoft." not in path.lower() or path.startswith("/mlflow/"):
        return
    _level("", doc)
    inner = doc.get("properties") or {}
    if path.startswith(("/history/", "/data/")):  # there the properties are a user's
        return
    _level("properties.", inner)
    if inner.get("computeType"):
        _level("properties.properties.", inner.get("properties") or {})


def _level(place: str, doc: Mapping[str, Any]) -> None:
    for name, value in doc.items():
        if value is None:
            continue
        if name in _OBJECTS and not isinstance(value, dict):
            raise _invalid(f"{place}{name} must be an object", place + name)
        if name in _TEXTS and not isinstance(value, str):
            raise _invalid(f"{place}{name} must be a text", place + name)
        if name in _LISTS and not isinstance(value, list):
            raise _invalid(f"{place}{name} must be a list", place + name)
        if name in _NUMBERS and not is_whole(value):
            raise _invalid(f"{place}{name} must be a whole number", place + name)


def is_whole(value: Any) -> bool:
    """Tell whether a value is a whole number from 0; true and false are none."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is no number that JSON has")
    return number


def _invalid(why: str, target: str | None = None) -> BadRequest:
    message = f"The request content was invalid and could not be deserialized: {why}."
    return BadRequest(message, "InvalidRequestContent", target)
