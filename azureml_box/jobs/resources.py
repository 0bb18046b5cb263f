"""`{WS}/jobs`: PUT, GET, list, cancel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from azureml_box.errors import BadRequest
from azureml_box.http import accepted, body, json, newest_page
from azureml_box.jobs import documents
from azureml_box.jobs.submission import plan_of
from azureml_box.stamps import stamp

if TYPE_CHECKING:
    from azureml_box.context import Box

_CHANGEABLE = ("tags", "properties", "displayName", "description", "isArchived")


def routes(box: Box) -> list[BaseRoute]:
    """The jobs of the workspace."""

    async def listing(request: Request) -> Response:
        view = request.query_params.get("listViewType", "ActiveOnly")
        return newest_page(box, request, documents.KIND, lambda doc: doc["_parent"] is None and _in_view(doc, view))

    async def get(request: Request) -> Response:
        return json(documents.get(box, request.path_params["name"]))

    async def put(request: Request) -> Response:
        return _put(box, request.path_params["name"], await body(request))

    async def cancel(request: Request) -> Response:
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


def _in_view(doc: dict[str, Any], view: str) -> bool:
    archived = bool(doc["properties"].get("isArchived"))
    return {"ActiveOnly": not archived, "ArchivedOnly": archived}.get(view, True)


def _put(box: Box, name: str, sent: dict[str, Any]) -> Response:
    properties = sent.get("properties")
    if not isinstance(properties, dict):
        raise BadRequest("The body must have properties.", "InvalidRequestContent")
    known = box.store.get(documents.KIND, name)
    if known is not None:
        return _change(box, known, properties)
    plan = plan_of(box, properties)
    doc = documents.make(box, name, properties, parent=None, root=name)
    if "" in plan.steps:
        for output, entry in (doc["properties"].get("outputs") or {}).items():
            if entry.get("uri"):
                raise BadRequest(f"Output {output!r} has an address of its own; leave it out here.", target="outputs")
            entry["uri"] = _command_output(name, output, entry)
    box.store.put(documents.KIND, name, doc)
    box.jobs.submit(name, plan)
    return json(doc, 201)


def _command_output(name: str, output: str, entry: dict[str, Any]) -> str:
    from azureml_box.jobs import files

    return files.output_uri(name, output, files.is_file(entry.get("jobOutputType")))


def _change(box: Box, doc: dict[str, Any], properties: dict[str, Any]) -> Response:
    """A job that exists is never run again: only what people may change of it is taken."""
    for field in _CHANGEABLE:
        if properties.get(field) is not None:
            doc["properties"][field] = properties[field]
    doc["systemData"] = stamp(doc)
    box.store.put(documents.KIND, doc["name"], doc)
    return json(doc)
