"""A component's inputs, completed by its defaults and checked against its spec."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from azureml_box.errors import BadRequest
from azureml_box.jobs.values import Literal, Value

_NUMBERS = {"integer": int, "number": float}


def complete(component: str, spec: Mapping[str, Mapping[str, Any]], given: Mapping[str, Value]) -> dict[str, Value]:
    """What the component runs with.

    Raises:
        BadRequest: an unknown input, a required one without value, or a value that the spec does not allow.
    """
    unknown = sorted(set(given) - set(spec))
    if unknown:
        raise BadRequest(f"Component {component!r} has no input {unknown[0]!r}.", target=f"inputs.{unknown[0]}")
    result: dict[str, Value] = {}
    for name, entry in spec.items():
        value = given.get(name)
        if value is None and entry.get("default") is not None:
            default = entry["default"]
            value = Literal(str(default).lower() if isinstance(default, bool) else str(default))
        if value is None:
            if not _optional(entry):
                raise BadRequest(f"Required input {name!r} of component {component!r} has no value.", target=name)
            continue
        if isinstance(value, Literal):
            _check(component, name, entry, value.value)
        result[name] = value
    return result


def _optional(entry: Mapping[str, Any]) -> bool:
    return str(entry.get("optional", False)).lower() == "true"


def _check(component: str, name: str, entry: Mapping[str, Any], text: str) -> None:
    kind, options = str(entry.get("type", "string")).lower(), entry.get("enum")
    place = f"input {name!r} of component {component!r}"
    if options and text not in {str(option) for option in options}:
        raise BadRequest(f"{place} is {text!r}, allowed are {', '.join(map(str, options))}.", target=name)
    if kind not in _NUMBERS:
        return
    try:
        number = float(text)
        if kind == "integer":
            int(text)
    except ValueError:
        raise BadRequest(f"{place} is {text!r}, which is no {kind}.", target=name) from None
    low, high = entry.get("min"), entry.get("max")
    if (low is not None and number < float(low)) or (high is not None and number > float(high)):
        raise BadRequest(f"{place} is {text}, outside of {low} to {high}.", target=name)
