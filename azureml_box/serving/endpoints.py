"""Online endpoints: {workspace}/onlineEndpoints, their keys and tokens.

Shapes: azure-ai-ml 1.35 `_restclient` (OnlineEndpointData, EndpointAuthKeys, EndpointAuthToken).
"""

from __future__ import annotations

import uuid
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from azureml_box.errors import ArmError, BadRequest, NotFound
from azureml_box.http import accepted, body, json, listed
from azureml_box.provisioning import must_rest, settle
from azureml_box.serving import keys
from azureml_box.serving.names import check_mirror, check_name, check_traffic
from azureml_box.serving.recovery import forget
from azureml_box.serving.service import DEPLOYMENTS, ENDPOINTS
from azureml_box.stamps import stamp

if TYPE_CHECKING:
    from azureml_box.context import Box

_AUTH_MODES = {mode.lower(): mode for mode in ("Key", "AMLToken", "AADToken")}
_MOST = 100


def find(box: Box, name: str) -> dict[str, Any]:
    """The stored endpoint; raises NotFound."""
    doc = box.store.get(ENDPOINTS, name)
    if doc is None:
        raise NotFound(f"Online endpoint {name!r} could not be found in workspace {box.config.workspace!r}.")
    return doc


def routes(box: Box) -> list[Route]:
    """Everything of an endpoint but its deployments."""
    path = f"{box.config.workspace_scope}/onlineEndpoints"

    async def listing(request: Request) -> Response:
        """All endpoints."""
        return listed(box, request, ENDPOINTS)

    async def get(request: Request) -> Response:
        """One endpoint."""
        return json(find(box, request.path_params["endpoint"]))

    async def put(request: Request) -> Response:
        """Make or change an endpoint, its traffic and its mirror; a long-running operation."""
        return await _put(box, request)

    async def patch(request: Request) -> Response:
        """Change tags and identity."""
        return await _patch(box, request)

    async def delete(request: Request) -> Response:
        """Delete an endpoint with its deployments."""
        return await _delete(box, request)

    async def secrets(request: Request) -> Response:
        """Keys or a token, or new keys."""
        return await _secrets(box, request)

    one = f"{path}/{{endpoint}}"
    table = {"GET": get, "PUT": put, "PATCH": patch, "DELETE": delete}
    actions = [
        Route(f"{one}/{action}", secrets, methods=["POST"]) for action in ("listKeys", "regenerateKeys", "token")
    ]
    plain = [Route(one, handler, methods=[method]) for method, handler in table.items()]
    return [Route(path, listing, methods=["GET"]), *plain, *actions]


async def _put(box: Box, request: Request) -> Response:
    name = request.path_params["endpoint"]
    check_name("endpoint", name)
    sent = await body(request)
    before = box.store.get(ENDPOINTS, name)
    must_rest("online endpoint", before)
    if before is None and len(box.store.list(ENDPOINTS)) >= _MOST:
        raise BadRequest(f"The subscription has {_MOST} online endpoints already, the most allowed.", "OutOfQuota")
    doc = _document(box, name, sent, before)
    return _begin(box, request, doc, before)


def _begin(box: Box, request: Request, doc: dict[str, Any], before: dict[str, Any] | None) -> Response:
    """Store the endpoint; where it is provisioned slowly, its traffic and tags hold when that has ended."""
    name = doc["name"]
    work = box.provisioning.begin("endpoints", name, doc, "update" if before else "create")
    shown = doc
    if before is not None and work is not None:
        served = {part: before["properties"][part] for part in ("traffic", "mirrorTraffic")}
        shown = {**doc, "properties": {**doc["properties"], **served}}
    box.store.put(ENDPOINTS, name, shown)

    async def finish() -> None:
        try:
            await settle(work, lambda state: _enter(box, name, state), done="")
        except ArmError:
            if before is not None:
                box.store.put(ENDPOINTS, name, before)
                _enter(box, name, "Failed")
            raise
        _enter(box, name, "Succeeded", {part: doc["properties"][part] for part in ("traffic", "mirrorTraffic")})

    operation = box.operations.start("put online endpoint", finish() if work else None)
    return accepted(box, request, operation, shown, 200 if before else 201)


def _enter(box: Box, name: str, state: str, fields: dict[str, Any] | None = None) -> None:
    now = box.store.get(ENDPOINTS, name)
    if now is not None:
        now["properties"] |= {"provisioningState": state, **(fields or {})}
        box.store.put(ENDPOINTS, name, now)


async def _patch(box: Box, request: Request) -> Response:
    doc = find(box, request.path_params["endpoint"])
    before = deepcopy(doc)
    must_rest("online endpoint", doc)
    sent = await body(request)
    unknown = set(sent) - {"tags", "identity"}
    if unknown:
        raise BadRequest(f"PATCH changes tags and identity only, not {', '.join(sorted(unknown))}; use PUT.")
    doc |= {name: value for name, value in sent.items() if name == "tags"} | {"systemData": stamp(doc)}
    doc["identity"] = _identity(box, sent.get("identity"), doc)
    return _begin(box, request, doc, before)


async def _delete(box: Box, request: Request) -> Response:
    name = request.path_params["endpoint"]
    doc = box.store.get(ENDPOINTS, name)
    if doc is None:
        return Response(status_code=204)
    must_rest("online endpoint", doc)
    waiting = box.provisioning.begin("endpoints", name, doc, "delete")
    doc["properties"]["provisioningState"] = "Deleting"
    box.store.put(ENDPOINTS, name, doc)

    async def work() -> None:
        await settle(waiting, lambda state: _enter(box, name, state), done="")
        for deployment in box.store.list(DEPLOYMENTS, f"{name}/"):
            await forget(box, deployment["_key"])
        box.store.delete(ENDPOINTS, name)

    return accepted(box, request, box.operations.start("delete online endpoint", work()))


async def _secrets(box: Box, request: Request) -> Response:
    doc = find(box, request.path_params["endpoint"])
    by_key = doc["properties"]["authMode"] == "Key"
    if request.url.path.endswith("/token"):
        if doc["properties"]["authMode"] != "AMLToken":
            raise BadRequest(
                f"Endpoint {doc['name']!r} has no Azure ML tokens: its authMode is {doc['properties']['authMode']}."
            )
        return json(keys.token(doc["_keys"]))
    if not by_key:
        raise BadRequest(f"Endpoint {doc['name']!r} has no keys: its authMode is {doc['properties']['authMode']}.")
    if request.url.path.endswith("/listKeys"):
        return json({"primaryKey": doc["_keys"]["primary"], "secondaryKey": doc["_keys"]["secondary"]})
    doc["_keys"] = keys.regenerated(doc["_keys"], await body(request))
    box.store.put(ENDPOINTS, doc["name"], doc)
    return accepted(box, request, box.operations.start("regenerate keys"))


def _document(box: Box, name: str, sent: dict[str, Any], before: dict[str, Any] | None) -> dict[str, Any]:
    given = {key: value for key, value in (sent.get("properties") or {}).items() if value is not None}
    deployments = [doc["name"] for doc in box.store.list(DEPLOYMENTS, f"{name}/")]
    traffic, mirror = given.get("traffic") or {}, given.get("mirrorTraffic") or {}
    check_traffic(traffic, deployments)
    check_mirror(mirror, traffic, deployments)
    mode = _AUTH_MODES.get(str(given.get("authMode") or "Key").lower())
    if mode is None:
        raise BadRequest(
            f"authMode must be Key, AMLToken or AADToken, not {given.get('authMode')!r}.", target="authMode"
        )
    base = f"{box.config.base_url}/endpoints/{name}"
    properties = {
        "authMode": mode,
        "description": given.get("description"),
        "properties": {
            **(given.get("properties") or {}),
            "azureml.onlineendpointid": f"{box.config.workspace_scope}/onlineEndpoints/{name}".lower(),
        },
        "compute": None,
        "publicNetworkAccess": given.get("publicNetworkAccess") or "Enabled",
        "traffic": traffic,
        "mirrorTraffic": mirror,
        "scoringUri": f"{base}/score",
        "swaggerUri": f"{base}/swagger.json",
        "provisioningState": "Succeeded",
    }
    return {
        "id": f"{box.config.workspace_scope}/onlineEndpoints/{name}",
        "name": name,
        "type": "Microsoft.MachineLearningServices/workspaces/onlineEndpoints",
        "location": box.config.location,
        "tags": sent.get("tags") or {},
        "kind": "Managed",
        "identity": _identity(box, sent.get("identity"), before),
        "systemData": stamp(before),
        "properties": properties,
        "_keys": before["_keys"] if before else keys.new_secrets(given.get("keys")),
    }


def _identity(box: Box, sent: dict[str, Any] | None, before: dict[str, Any] | None) -> dict[str, Any]:
    old = (before or {}).get("identity") or {}
    given = sent or {"type": old.get("type") or "SystemAssigned"}
    kind = str(given.get("type") or "SystemAssigned")
    identity: dict[str, Any] = {"type": kind, "tenantId": box.config.tenant}
    if "SystemAssigned" in kind:
        identity["principalId"] = old.get("principalId") or str(uuid.uuid4())
    if "UserAssigned" in kind:
        named = given.get("userAssignedIdentities") or {}
        identity["userAssignedIdentities"] = {resource: value or {} for resource, value in named.items()}
    return identity
