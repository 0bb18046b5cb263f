"""Online deployments: {workspace}/onlineEndpoints/{endpoint}/deployments.

Shapes: azure-ai-ml 1.35 `_restclient` (OnlineDeploymentData, ManagedOnlineDeployment).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from azureml_box.errors import BadRequest, NotFound
from azureml_box.http import accepted, body, json, listed
from azureml_box.provisioning import must_rest, settle
from azureml_box.serving import billing, endpoints
from azureml_box.serving.documents import checked, document
from azureml_box.serving.names import check_name
from azureml_box.serving.process import tail
from azureml_box.serving.recovery import forget
from azureml_box.serving.rollout import bring_up, enter
from azureml_box.serving.service import DEPLOYMENTS
from azureml_box.stamps import stamp

if TYPE_CHECKING:
    from azureml_box.context import Box

_MOST, _MOST_IN_ALL = 20, 500
_LOG_LINES = 5000


def find(box: Box, endpoint: str, name: str) -> dict[str, Any]:
    """The stored deployment; raises NotFound, also where the endpoint is missing."""
    endpoints.find(box, endpoint)
    doc = box.store.get(DEPLOYMENTS, f"{endpoint}/{name}")
    if doc is None:
        raise NotFound(f"Online deployment {name!r} could not be found in endpoint {endpoint!r}.")
    return doc


def routes(box: Box) -> list[Route]:
    """Deployments, their logs and sizes, and the emulator's own view of their processes."""
    path = f"{box.config.workspace_scope}/onlineEndpoints/{{endpoint}}/deployments"

    async def listing(request: Request) -> Response:
        """All deployments of an endpoint."""
        endpoint = request.path_params["endpoint"]
        endpoints.find(box, endpoint)
        return listed(box, request, DEPLOYMENTS, below=f"{endpoint}/")

    async def one(request: Request) -> Response:
        """One deployment; PUT and PATCH start its server."""
        handlers = {"PUT": _put, "PATCH": _patch, "DELETE": _delete}
        if request.method in handlers:
            return await handlers[request.method](box, request)
        return json(find(box, request.path_params["endpoint"], request.path_params["deployment"]))

    async def logs(request: Request) -> Response:
        """The last lines of its server, or of what was downloaded for it."""
        return await _logs(box, request)

    async def skus(request: Request) -> Response:
        """How far it scales."""
        doc = find(box, request.path_params["endpoint"], request.path_params["deployment"])
        capacity = {"minimum": 1, "maximum": 50, "default": 1, "scaleType": "Manual"}
        sku = {"name": "Default", "tier": "Standard", "capacity": doc["sku"]["capacity"]}
        kind = "Microsoft.MachineLearningServices/workspaces/onlineEndpoints/deployments"
        return json({"value": [{"resourceType": kind, "sku": sku, "capacity": capacity}]})

    async def processes(_request: Request) -> Response:
        """The processes behind deployments."""
        return json({"deployments": [keeper.state() for keeper in box.serving.keepers.values()]})

    single = f"{path}/{{deployment}}"
    return [
        Route(path, listing, methods=["GET"]),
        Route(single, one, methods=["GET", "PUT", "PATCH", "DELETE"]),
        Route(f"{single}/getLogs", logs, methods=["POST"]),
        Route(f"{single}/skus", skus, methods=["GET"]),
        Route("/_emulator/serving", processes, methods=["GET"]),
    ]


async def _put(box: Box, request: Request) -> Response:
    endpoint, name = request.path_params["endpoint"], request.path_params["deployment"]
    check_name("deployment", name)
    owner = endpoints.find(box, endpoint)
    must_rest("online endpoint", owner)
    sent = checked(await body(request), box.config.location)
    before = box.store.get(DEPLOYMENTS, f"{endpoint}/{name}")
    if before is None:
        _check_room(box, endpoint)
    return _begin(box, request, document(box, owner, name, sent, before), before)


async def _patch(box: Box, request: Request) -> Response:
    before = find(box, request.path_params["endpoint"], request.path_params["deployment"])
    sent = await body(request)
    unknown = set(sent) - {"tags", "sku"}
    if unknown:
        raise BadRequest(f"PATCH changes tags and sku only, not {', '.join(sorted(unknown))}; use PUT.")
    merged = {**before, **sent, "sku": {**before["sku"], **(sent.get("sku") or {})}, "systemData": stamp(before)}
    return _begin(box, request, checked(merged, box.config.location), before)


def _begin(box: Box, request: Request, doc: dict[str, Any], before: dict[str, Any] | None) -> Response:
    key = doc["_key"]
    must_rest("online deployment", before)
    doc["properties"]["provisioningState"] = _meanwhile(doc, before)
    box.store.put(DEPLOYMENTS, key, doc)
    endpoint, _, name = key.partition("/")
    billing.begin(box.store, endpoint, name, doc["properties"]["instanceType"], doc["sku"]["capacity"])
    work = box.serving.exclusive(key, bring_up(box, key))
    operation = box.operations.start("put online deployment", work)
    return accepted(box, request, operation, doc, 200 if before else 201)


def _meanwhile(doc: dict[str, Any], before: dict[str, Any] | None) -> str:
    """The state while the change is made: where nothing but the number of instances changes, it scales."""
    if before is None:
        return "Creating"
    kept = [{**one["properties"], "provisioningState": None, "tags": one["tags"]} for one in (doc, before)]
    only = kept[0] == kept[1] and doc["sku"] != before["sku"]
    return "Scaling" if only else "Updating"


async def _delete(box: Box, request: Request) -> Response:
    endpoint, name = request.path_params["endpoint"], request.path_params["deployment"]
    owner = endpoints.find(box, endpoint)
    doc = box.store.get(DEPLOYMENTS, f"{endpoint}/{name}")
    if doc is None:
        return Response(status_code=204)
    share = owner["properties"]["traffic"].get(name)
    if share:
        message = f"Online deployment {name!r} takes {share} % of the traffic of {endpoint!r}; set that to 0 first."
        raise BadRequest(message, "BadArgument")
    must_rest("online endpoint", owner)
    must_rest("online deployment", doc)
    waiting = box.provisioning.begin("deployments", doc["_key"], doc, "delete")
    doc["properties"]["provisioningState"] = "Deleting"
    box.store.put(DEPLOYMENTS, doc["_key"], doc)

    async def work() -> None:
        await settle(waiting, lambda state: enter(box, doc["_key"], state), done="")
        await forget(box, doc["_key"])

    return accepted(box, request, box.operations.start("delete online deployment", work()))


async def _logs(box: Box, request: Request) -> Response:
    doc = find(box, request.path_params["endpoint"], request.path_params["deployment"])
    sent = await body(request)
    kind = sent.get("containerType") or "InferenceServer"
    if kind not in ("InferenceServer", "StorageInitializer"):
        raise BadRequest(f"containerType must be InferenceServer or StorageInitializer, not {kind!r}.", "BadArgument")
    lines = int(sent.get("tail") or _LOG_LINES)
    name = "server.log" if kind == "InferenceServer" else "storage.log"
    return json({"content": tail(box.serving.folder(doc["_key"]) / name, lines)})


def _check_room(box: Box, endpoint: str) -> None:
    here, everywhere = len(box.store.list(DEPLOYMENTS, f"{endpoint}/")), len(box.store.list(DEPLOYMENTS))
    if here >= _MOST:
        raise BadRequest(f"Endpoint {endpoint!r} has {_MOST} deployments already, the most allowed.", "OutOfQuota")
    if everywhere >= _MOST_IN_ALL:
        raise BadRequest(f"The subscription has {_MOST_IN_ALL} deployments already, the most allowed.", "OutOfQuota")
