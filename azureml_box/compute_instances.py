"""Compute instances: single machines that are started, stopped and restarted; jobs run on this machine.

Shapes: ARM reference, Microsoft.MachineLearningServices/workspaces/computes (ComputeInstanceProperties).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from azureml_box.errors import ArmError, BadRequest, Conflict, NotFound
from azureml_box.http import accepted
from azureml_box.provisioning import must_rest
from azureml_box.stamps import now

if TYPE_CHECKING:
    from azureml_box.context import Box

_KIND = "computes"
# Verb -> the states in which it is taken, the state that it leads to, the operation's name; and the state meanwhile.
_MOVES = {
    "start": (("Stopped",), "Running", "Start"),
    "stop": (("Running",), "Stopped", "Stop"),
    "restart": (("Running",), "Running", "Restart"),
}
_MEANWHILE = {"start": "Starting", "stop": "Stopping", "restart": "Restarting"}


def created(inner: dict[str, Any], before: dict[str, Any] | None) -> dict[str, Any]:
    """The inner properties of an instance that PUT makes, running, or changes, in the state that it has."""
    old = before["properties"]["properties"] if before else {}
    return {
        "applicationSharingPolicy": "Shared",
        "applications": [],
        "connectivityEndpoints": None,
        "errors": [],
        **inner,
        "state": old.get("state", "Running"),
        "lastOperation": old.get("lastOperation") or _operation("Create"),
        "createdBy": old.get("createdBy") or {"userName": "azureml_box"},
    }


def routes(box: Box) -> list[Route]:
    """POST start, stop and restart."""

    async def move(request: Request) -> Response:
        return _move(box, request, request.path_params["name"], request.url.path.rsplit("/", 1)[-1])

    one = f"{box.config.workspace_scope}/computes/{{name}}"
    return [Route(f"{one}/{verb}", move, methods=["POST"]) for verb in _MOVES]


def _move(box: Box, request: Request, name: str, verb: str) -> Response:
    doc = box.store.get(_KIND, name.lower())
    if doc is None:
        raise NotFound(f"Resource not found: compute {name!r} in workspace {box.config.workspace!r}.")
    if doc["properties"]["computeType"] != "ComputeInstance":
        raise BadRequest(f"Compute {name!r} is no compute instance; only those can {verb}.", target="computeType")
    wanted, state, operation = _MOVES[verb]
    inner = doc["properties"]["properties"]
    if inner["state"] not in wanted:
        raise Conflict(f"Compute instance {name!r} is {inner['state']}; it can't {verb} now.")
    must_rest("compute", doc)
    delayed = box.provisioning.delays("computes")
    meanwhile = _operation(operation, "InProgress" if delayed else "Succeeded")
    inner |= {"state": _MEANWHILE[verb] if delayed else state, "lastOperation": meanwhile}
    box.store.put(_KIND, name.lower(), doc)

    async def work() -> None:
        try:
            await box.provisioning.wait("computes", name.lower(), verb)
        except ArmError:
            _enter(box, name, wanted[0], _operation(operation, f"{operation}Failed"))
            raise
        _enter(box, name, state, _operation(operation))

    return accepted(box, request, box.operations.start(f"{verb} compute instance", work() if delayed else None))


def _enter(box: Box, name: str, state: str, operation: dict[str, str]) -> None:
    doc = box.store.get(_KIND, name.lower())
    if doc is not None:
        doc["properties"]["properties"] |= {"state": state, "lastOperation": operation}
        box.store.put(_KIND, name.lower(), doc)


def settle_unfinished(box: Box, doc: dict[str, Any]) -> None:
    """An instance that was moving when a former process died is where it was going to."""
    inner = doc["properties"].get("properties") or {}
    for verb, meanwhile in _MEANWHILE.items():
        if inner.get("state") == meanwhile:
            _enter(box, doc["name"], _MOVES[verb][1], _operation(_MOVES[verb][2]))


def _operation(name: str, status: str = "Succeeded") -> dict[str, str]:
    moment = {"operationTime": now(), "operationTrigger": "User"}
    return {"operationName": name, "operationStatus": status, **moment}
