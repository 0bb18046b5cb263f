"""`{WS}/schedules`, and `/_emulator/clock`, by which tests let time pass for them.

Shapes: azure-ai-ml 1.35 (`Schedule`, api-version 2023-06-01-preview; `trigger` 2024-01-01-preview, `TriggerRunSubmissionDto`).
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from azureml_box.errors import BadRequest
from azureml_box.http import accepted, body, json, listed
from azureml_box.jobs import resources
from azureml_box.provisioning import must_rest, settle
from azureml_box.schedules import actions, documents
from azureml_box.schedules.documents import KIND

if TYPE_CHECKING:
    from azureml_box.context import Box

_VIEWS = {"enabledonly": (True,), "disabledonly": (False,), "all": (True, False)}


def routes(box: Box) -> list[Route]:
    """Schedules and their clock."""

    async def listing(request: Request) -> Response:
        """Schedules, by default those that are enabled"""
        asked = request.query_params.get("listViewType", "EnabledOnly")
        if (view := _VIEWS.get(asked.lower())) is None:
            raise BadRequest(f"The value {asked!r} of listViewType is not valid.", target="listViewType")
        return listed(box, request, KIND, lambda doc: doc["properties"]["isEnabled"] in view)

    async def get(request: Request) -> Response:
        """One schedule"""
        return json(documents.get(box, request.path_params["name"]))

    async def put(request: Request) -> Response:
        """Make, change, enable or disable a schedule; a long-running operation"""
        return _put(box, request, await body(request))

    async def delete(request: Request) -> Response:
        """Delete a schedule that is disabled; a long-running operation"""
        return _delete(box, request)

    async def trigger(request: Request) -> Response:
        """Submit the schedule's job once"""
        return _trigger(box, request.path_params["name"], await body(request))

    async def clock(request: Request) -> Response:
        """The time by which schedules fire; POST lets it pass: `seconds`, or `to` a moment, and tells what fired"""
        return await _clock(box, request)

    base = f"{box.config.workspace_scope}/schedules"
    one = base + "/{name}"
    return [
        Route(base, listing),
        Route(one, get),
        Route(one, put, methods=["PUT"]),
        Route(one, delete, methods=["DELETE"]),
        Route(one + "/trigger", trigger, methods=["POST"]),
        Route("/_emulator/clock", clock, methods=["GET", "POST"]),
    ]


def _put(box: Box, request: Request, sent: dict[str, Any]) -> Response:
    name = request.path_params["name"]
    before = box.store.get(KIND, name)
    must_rest("schedule", before)
    doc = documents.make(box, name, sent, before, box.schedules.clock.now())
    work = box.provisioning.begin("schedules", name, doc, "update" if before else "create")
    box.store.put(KIND, name, doc)
    box.schedules.changed()

    finish = settle(work, lambda state: _enter(box, name, state)) if work else None
    operation = box.operations.start("put schedule", finish)
    return accepted(box, request, operation, doc, 200 if before else 201)


def _delete(box: Box, request: Request) -> Response:
    name = request.path_params["name"]
    doc = box.store.get(KIND, name)
    if doc is None:
        return Response(status_code=204)
    must_rest("schedule", doc)
    if doc["properties"]["isEnabled"]:
        raise BadRequest(f"Cannot delete an active trigger. Disable the schedule {name!r} first.")
    work = box.provisioning.begin("schedules", name, doc, "delete")
    box.store.put(KIND, name, doc)

    async def finish() -> None:
        await settle(work, lambda state: _enter(box, name, state), done="")
        box.store.delete(KIND, name)

    return accepted(box, request, box.operations.start("delete schedule", finish()))


def _enter(box: Box, name: str, state: str) -> None:
    doc = box.store.get(KIND, name)
    if doc is not None:
        doc["properties"]["provisioningState"] = state
        box.store.put(KIND, name, doc)
        box.schedules.changed()


def _trigger(box: Box, name: str, sent: dict[str, Any]) -> Response:
    doc, asked = documents.get(box, name), sent.get("scheduleTime")
    if not doc["properties"]["isEnabled"]:
        raise BadRequest(f"The schedule {name!r} is disabled; enable it to trigger it.", target="isEnabled")
    moment, job = _moment(asked, "scheduleTime") if asked else box.schedules.clock.now(), str(uuid.uuid4())
    resources.begin(box, job, {"properties": actions.body(box, doc, job, moment)})
    return json({"scheduleActionType": "CreateJob", "submissionId": job})


def _moment(text: Any, name: str) -> datetime:
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        raise BadRequest(f"{name} must be a time in ISO 8601, not {text!r}.", target=name) from None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)


async def _clock(box: Box, request: Request) -> Response:
    clock, fired = box.schedules.clock, list[str]()
    if request.method == "POST":
        sent = await body(request)
        if set(sent) not in ({"seconds"}, {"to"}):
            raise BadRequest("Give `seconds` to let pass, or the moment `to` go to.", target="seconds")
        fired = box.schedules.advance(_target(clock.now(), sent))
    answer = {"now": clock.now().isoformat(), "aheadSeconds": clock.ahead.total_seconds()}
    return JSONResponse(answer | ({"fired": fired} if request.method == "POST" else {}))


def _target(now: datetime, sent: dict[str, Any]) -> datetime:
    if "to" in sent:
        return _moment(sent["to"], "to")
    seconds = sent["seconds"]
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds <= 10**9:
        raise BadRequest(f"seconds must be a number from 0, not {seconds!r}.", target="seconds")
    return now + timedelta(seconds=seconds)
