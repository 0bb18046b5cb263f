"""Holds requests against the contract: unknown fields and parameters are 501 by name, values outside an enumeration Azure's 400.

What Azure answers to a field that it does not know differs by field (many are dropped without a word), so the emulator says
that it does not know it. A loose emulator counts all of it and goes on. Bodies of jobs: `azureml_box.jobs.bodies`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.requests import Request

from azureml_box.contract import limits
from azureml_box.contract.roots import ROOTS, named, shape
from azureml_box.errors import BadRequest
from azureml_box.strictness import note, refuse

if TYPE_CHECKING:
    from azureml_box.context import Box

_OURS = ("api-version", "$skiptoken")


@cache
def contract() -> dict[str, Any]:
    """The table that `generate` wrote."""
    read: dict[str, Any] = json.loads(Path(__file__).with_name("arm.json").read_text(encoding="utf-8"))
    return read


def check_query(box: Box, verb: str, path: str, given: Iterable[str]) -> None:
    """Look at the names of a query's parameters; ARM compares them without case.

    Raises:
        ArmError: 501, the operation has no such parameter.
    """
    place = shape(path)
    known = contract()["queries"].get(f"{verb} {place[1]}".strip()) if place else None
    if place is None or known is None:
        return
    allowed = {name.lower() for name in (*_OURS, *known)}
    for name in given:
        if name.lower() not in allowed:
            refuse(box, f"the query parameter {name!r} of {verb} {place[1]}")


def check_body(request: Request, sent: Mapping[str, Any]) -> None:
    """Look at the body of a PUT, PATCH or POST of a kind that the contract describes.

    Raises:
        BadRequest: a value is not of its enumeration, or an object is none.
        ArmError: 501, there is no such field.
    """
    box = getattr(request.app.state, "box", None) if "app" in request.scope else None
    place = shape(request.url.path)
    if box is None or place is None or place[0] == "locations" or request.method not in ("PUT", "PATCH", "POST"):
        return
    if request.method == "PUT":
        kind, names = named(request.url.path)
        limits.check(kind, names, sent)
    # The update of a cluster has a body of its own (`ClusterUpdateParameters`), which compute_routes reads.
    root = None if request.method == "PATCH" and place[1].startswith("computes") else ROOTS.get(place[1])
    if root and not (place[0] == "workspaces" and not place[1]):
        _Check(box, place[1] or "registries/*").model(root, sent, "")


class _Check:
    """One look at one body; `kind` names it in what is counted."""

    def __init__(self, box: Box, kind: str) -> None:
        self._box, self._kind = box, kind

    def model(self, name: str, sent: Any, where: str) -> None:
        if not isinstance(sent, Mapping):
            self._wrong(where, f"{where} must be an object, not {type(sent).__name__}.")
            return
        fields = self._fields(name, sent, where)
        for field, value in sent.items():
            place = f"{where}.{field}" if where else field
            if field not in fields:
                refuse(self._box, f"the field {place} of {self._kind}")
            elif fields[field] and value is not None:
                self._value(fields[field], value, place)

    def _value(self, spec: str, value: Any, where: str) -> None:
        inner = spec.strip("[]{}")
        one = self._enumeration if inner in contract()["enums"] else self.model
        if spec.startswith("["):
            if not isinstance(value, list):
                self._wrong(where, f"{where} must be a list, not {type(value).__name__}.")
                return
            for number, part in enumerate(value):
                one(inner, part, f"{where}[{number}]")
        elif spec.startswith("{"):
            for key, part in value.items() if isinstance(value, Mapping) else ():
                if part is not None:
                    one(inner, part, f"{where}.{key}")
        else:
            one(inner, value, where)

    def _enumeration(self, name: str, value: Any, where: str) -> None:
        known = contract()["enums"][name]
        if str(value).lower().replace(" ", "") not in {one.lower() for one in known}:  # "SystemAssigned, UserAssigned"
            allowed = ", ".join(known)
            self._wrong(where, f"The value {value!r} of {where} is not valid; known are {allowed}.")

    def _fields(self, name: str, sent: Mapping[str, Any], where: str) -> Mapping[str, str]:
        """The fields of a model: of the subtype that the body names or, where it names none, of all."""
        types = contract()["types"]
        entry = types[name]
        told, subtypes = entry.get("told by"), entry.get("by") or {}
        if not told:
            return dict(entry["fields"])
        if sent.get(told) is None:
            return {
                key: spec
                for one in (name, *subtypes.values())
                if one in types
                for key, spec in types[one]["fields"].items()
            }
        chosen = {value.lower(): subtype for value, subtype in subtypes.items()}.get(str(sent[told]).lower())
        if chosen is None:
            self._wrong(
                f"{where}.{told}",
                f"The value {sent[told]!r} of {where}.{told} is not valid; known are {', '.join(subtypes)}.",
            )
            return dict.fromkeys(sent, "")
        return dict(types[chosen]["fields"]) if chosen in types else dict.fromkeys(sent, "")

    def _wrong(self, where: str, message: str) -> None:
        if not self._box.loose:
            raise BadRequest(message, target=where)
        note(self._box, f"a value of {where} of {self._kind}")
