"""Run history, as `jobs.stream`, `jobs.download` and lists of child jobs ask for it, and the logs that it points to."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from azureml_box.datastores import long_form
from azureml_box.errors import NotFound
from azureml_box.http import body, json
from azureml_box.jobs import documents, logs
from azureml_box.jobs.files import is_file
from azureml_box.jobs.reuse import origin

if TYPE_CHECKING:
    from azureml_box.context import Box

_FILE, _FOLDER = "uri_file", "uri_folder"  # azure-ai-ml compares with these, and asks for addresses only then


def routes(box: Box) -> list[BaseRoute]:
    """Details, children, run data and changes of runs; logs behind addresses that cannot be guessed."""

    async def details(request: Request) -> Response:
        return json(_details(box, documents.get(box, request.path_params["name"])))

    async def children(request: Request) -> Response:
        documents.get(box, request.path_params["name"])
        return json({"value": [record(doc) for doc in documents.children(box, request.path_params["name"])]})

    async def run_data(request: Request) -> Response:
        return json(_run_data(box, str((await body(request)).get("runId", ""))))

    async def resolved(request: Request) -> Response:
        asked = (await body(request)).get("values") or []
        return json({"values": {str(uri): {"uri": long_form(box, str(uri)), "type": _FOLDER} for uri in asked}})

    async def change(request: Request) -> Response:
        return json(_change(box, request.path_params["name"], await body(request)))

    async def log(request: Request) -> Response:
        return _log(box, **request.path_params)

    base = f"/history/v1.0{box.config.workspace_scope}"
    data = f"/data/v1.0{box.config.workspace_scope}"
    return [
        Route(data + "/dataversion/batchGetResolvedUris", resolved, methods=["POST"]),
        Route(base + "/runs/{name}/details", details),
        Route(base + "/runs/{name}/children", children),
        Route(base + "/rundata", run_data, methods=["POST"]),
        Route(base + "/experiments/{experiment}/runs/{name}", change, methods=["PATCH"]),
        Route("/endpoints/_logs/{run}/{ticket}/{name:path}", log),
    ]


def record(doc: dict[str, Any]) -> dict[str, Any]:
    """A run as run history tells of it."""
    properties = doc["properties"]
    return {
        "runId": doc["name"],
        "rootRunId": doc["_root"],
        "parentRunId": doc["_parent"],
        "displayName": properties["displayName"],
        "status": properties["status"],
        "tags": properties["tags"],
        "properties": {**properties["properties"], "azureml.billedSeconds": str(doc.get("_billed_seconds", 0))},
        "createdUtc": doc["_created"],
        "startTimeUtc": doc.get("_started"),
        "endTimeUtc": doc.get("_ended"),
        "experimentId": properties["experimentName"],
    }


def _details(box: Box, doc: dict[str, Any]) -> dict[str, Any]:
    ran = origin(doc)  # a reused step shows the log of the one that ran
    base = f"{box.config.base_url}/endpoints/_logs/{ran}/{_ticket(box, ran)}"
    files = {name: f"{base}/{name}" for name in logs.there(box, ran)}
    error = {"error": {"code": "UserError", "message": doc["_error"]}} if doc.get("_error") else None
    return {**record(doc), "logFiles": files, "warnings": [], "error": error}


def _ticket(box: Box, name: str) -> str:
    return hmac.new(box.config.storage_key.encode(), f"log:{name}".encode(), hashlib.sha256).hexdigest()


def _log(box: Box, run: str, ticket: str, name: str) -> Response:
    path = logs.there(box, run).get(name)
    if not hmac.compare_digest(ticket.encode(), _ticket(box, run).encode()) or path is None:
        raise NotFound("There is no such log.")
    return PlainTextResponse(path.read_text(errors="replace"))


def _run_data(box: Box, name: str) -> dict[str, Any]:
    doc = documents.get(box, name)
    # Models are told as folders: azure-ai-ml 1.35 breaks on the model types (its own bug), and the files are the same.
    outputs = {
        output: {"assetId": entry["uri"], "type": _FILE if is_file(entry.get("jobOutputType")) else _FOLDER}
        for output, entry in (doc["properties"].get("outputs") or {}).items()
        if entry.get("uri")
    }
    return {"runMetadata": {**record(doc), "outputs": outputs}}


def _change(box: Box, name: str, sent: dict[str, Any]) -> dict[str, Any]:
    doc = documents.get(box, name)
    properties = doc["properties"]
    for field in ("displayName", "description"):
        if sent.get(field) is not None:
            properties[field] = sent[field]
    for field in ("tags", "properties"):  # this plane merges, PUT of the job replaces
        properties[field] = {**properties[field], **(sent.get(field) or {})}
    if sent.get("hidden") is not None:  # the name that run history has for isArchived
        properties["isArchived"] = bool(sent["hidden"])
    box.store.put(documents.KIND, name, doc)
    return record(doc)
