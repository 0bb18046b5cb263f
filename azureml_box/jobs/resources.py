"""`{WS}/jobs`: PUT, GET, list, cancel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from azureml_box import assets
from azureml_box.errors import ArmError, BadRequest
from azureml_box.http import accepted, body, json, listed, made
from azureml_box.jobs import bodies, documents, files, listings
from azureml_box.jobs.submission import plan_of
from azureml_box.stamps import stamp
from azureml_box.strictness import check_query

if TYPE_CHECKING:
    from azureml_box.context import Box

_CHANGEABLE = ("tags", "properties", "displayName", "description", "isArchived")


def routes(box: Box) -> list[BaseRoute]:
    """The jobs of the workspace."""

    async def listing(request: Request) -> Response:
        check_query(box, request, listings.PARAMETERS)
        return listed(box, request, documents.KIND, listings.chosen(request.query_params), newest_first=True)

    async def get(request: Request) -> Response:
        check_query(box, request)
        return json(documents.get(box, request.path_params["name"]))

    async def put(request: Request) -> Response:
        check_query(box, request)
        doc, new = _put(box, request.path_params["name"], await body(request))
        return made(box, request, doc, new)

    async def cancel(request: Request) -> Response:
        check_query(box, request)
        name = request.path_params["name"]
        documents.get(box, name)
        return accepted(box, request, box.operations.start("cancel job", box.jobs.cancel(name)))

    base = f"{box.config.workspace_scope}/jobs"
    one = base + "/{name}"
    return [
        Route(base, listing),
        Route(one, get),
        Route(one, put, methods=["PUT"]),
        Route(one + "/cancel", cancel, methods=["POST"]),
    ]


def _put(box: Box, name: str, sent: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    """(the job, whether it is new)."""
    properties = sent.get("properties")
    if not isinstance(properties, dict):
        raise BadRequest("The body must have properties.", "InvalidRequestContent")
    known = box.store.get(documents.KIND, name)
    if known is not None:
        return _change(box, known, properties), False
    return begin(box, name, sent), True


def begin(box: Box, name: str, sent: dict[str, Any]) -> dict[str, Any]:
    """Makes a job of the body of a PUT and begins it; its document. A job of this name that exists is left as it is.

    Raises:
        ArmError: the body is refused.
    """
    if (known := box.store.get(documents.KIND, name)) is not None:
        return known
    properties = sent["properties"]
    bodies.check(box, sent, properties)
    # The ARM reference lets an output be null: one with all defaults.
    outputs = {output: {} if entry is None else entry for output, entry in (properties.get("outputs") or {}).items()}
    properties = _named(box, {**properties, "outputs": outputs})
    plan = plan_of(box, properties)
    doc = documents.make(box, name, properties, parent=None, root=name)
    if "" in plan.steps:
        doc["_destinations"] = plan.steps[""].destinations
        for output, entry in (doc["properties"].get("outputs") or {}).items():
            entry["uri"] = _command_output(name, output, entry)
    box.store.put(documents.KIND, name, doc)
    box.jobs.submit(name, plan)
    return doc


def _named(box: Box, properties: dict[str, Any]) -> dict[str, Any]:
    """With a trial's environment by its ARM id, as the service answers; a command's stays as the SDK sent it."""
    trial = properties.get("trial")
    if not isinstance(trial, dict) or not str(trial.get("environmentId") or "").startswith("azureml:"):
        return properties
    try:
        named = assets.find_environment(box, trial["environmentId"])["id"]
    except ArmError:
        return properties  # one that is not known here is left as it is
    return {**properties, "trial": {**trial, "environmentId": named}}


def _command_output(name: str, output: str, entry: dict[str, Any]) -> str:
    return files.output_uri(name, output, files.is_file(entry.get("jobOutputType")))


def _change(box: Box, doc: dict[str, Any], properties: dict[str, Any]) -> dict[str, Any]:
    """A job that exists is never run again: only what people may change of it is taken."""
    for field in _CHANGEABLE:
        if properties.get(field) is not None:
            doc["properties"][field] = properties[field]
    doc["systemData"] = stamp(doc)
    box.store.put(documents.KIND, doc["name"], doc)
    return doc
