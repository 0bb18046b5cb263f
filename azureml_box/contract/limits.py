"""Names and limits that Azure holds bodies against, before the resources' own rules.

Sources: names: the patterns of the paths in Azure's REST clients (azure-ai-ml 1.28.1, `_restclient`; of assets the newest, as
models with dots in their names exist); jobs: learn.microsoft.com/azure/machine-learning/resource-limits-capacity ("Runs"); tags of
tracked resources: learn.microsoft.com/azure/azure-resource-manager/management/tag-resources; versions of data: the service's
message "Argument 'version' exceeded maximum length of 30 for DatasetId".
Endpoints, deployments, computes and registries have narrower rules of their own, where they are made.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from azureml_box.errors import BadRequest

_ASSETS = ("models", "components", "environments", "data", "codes")
_ASSET = re.compile(r"(?![-_.])[a-zA-Z0-9\-_.]{1,255}(?<!\.)")
_PLAIN = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9\-_]{0,254}")
_PLAINLY_NAMED = ("jobs", "schedules", "datastores")
_TRACKED = ("onlineEndpoints", "computes", "")
_DATA_VERSION = 30

# What -> how many, length of a key, length of a value.
_RUNS = {"tags": (50, 100, 1000), "properties": (50, 100, 1000)}
_RESOURCES = (50, 512, 256)
_TEXTS = {"displayName": 256, "description": 5000}


def check(kind: str, names: list[str], sent: Mapping[str, Any]) -> None:
    """Look at the name in the path and the sizes in the body of a PUT; `kind` is the collection, `names` those of the path.

    Raises:
        BadRequest: one is not as Azure takes it.
    """
    check_name(kind, names)
    properties = sent.get("properties")
    properties = properties if isinstance(properties, Mapping) else {}
    if kind == "data" and len(names) > 1 and len(names[1]) > _DATA_VERSION and not properties.get("isAnonymous"):
        message = f"Argument 'version' exceeded maximum length of {_DATA_VERSION} for DatasetId: {names[1]!r}."
        raise BadRequest(message, target="version")
    if kind == "jobs":
        for part, limits in _RUNS.items():
            _pairs(f"properties.{part}", properties.get(part), limits)
        for part, longest in _TEXTS.items():
            if isinstance(properties.get(part), str) and len(properties[part]) > longest:
                place = f"properties.{part}"
                raise BadRequest(f"{place} has {len(properties[part])} characters; at most {longest}.", target=place)
    elif kind in _TRACKED:
        _pairs("tags", sent.get("tags"), _RESOURCES)


def check_name(kind: str, names: list[str]) -> None:
    """Look at the name alone.

    Raises:
        BadRequest: it is none for this kind.
    """
    rule = _ASSET if kind in _ASSETS else _PLAIN if kind in _PLAINLY_NAMED else None
    if rule is None or not names or rule.fullmatch(names[0]):
        return
    signs = "'-', '_' and '.'" if rule is _ASSET else "'-' and '_'"
    message = f"The name {names[0]!r} is invalid in {kind}: 1 to 255 letters, digits, {signs}, a letter or digit first"
    raise BadRequest(f"{message}{', no dot last' if rule is _ASSET else ''}.", target="name")


def _pairs(place: str, given: Any, limits: tuple[int, int, int]) -> None:
    count, key_length, value_length = limits
    if not isinstance(given, Mapping):
        return
    if len(given) > count:
        raise BadRequest(f"{place} has {len(given)} entries; at most {count}.", target=place)
    for key, value in given.items():
        if len(key) > key_length:
            raise BadRequest(f"The key {key[:20]!r}… of {place} is longer than {key_length} characters.", target=place)
        if isinstance(value, str) and len(value) > value_length:
            raise BadRequest(f"The value of {place}.{key} is longer than {value_length} characters.", target=place)
