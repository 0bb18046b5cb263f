"""What every request passes: one path spelling, the token, the api-version; and what every refusal looks like."""

from __future__ import annotations

import logging
import re
import uuid
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders, QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from azureml_box import versions
from azureml_box.auth import CONTROL, TokenCheck
from azureml_box.contract.check import check_query
from azureml_box.errors import ArmError, NotFound, NotImplementedHere
from azureml_box.http import body
from azureml_box.strictness import note

if TYPE_CHECKING:
    from azureml_box.context import Box

_log = logging.getLogger(__name__)
_SEGMENTS = {
    word.lower(): word
    for word in [
        "subscriptions",
        "resourceGroups",
        "providers",
        "workspaces",
        "registries",
        "locations",
        "onlineEndpoints",
        "deployments",
        "listSecrets",
        "listKeys",
        "startPendingUpload",
        "schedules",
        "vmSizes",
        "Microsoft.MachineLearningServices",
        "Microsoft.Insights",
        "Microsoft.Resources",
    ]
}


def spell(path: str, box: Box) -> str:
    """ARM paths are case-insensitive: give the fixed segments, and our own workspace's, their usual spelling."""
    if "/subscriptions/" not in path.lower():
        return path
    # The workspace names its tracking URI with v1.0, as Azure does; both versions are one plane here.
    path = path.replace("/mlflow/v1.0/", "/mlflow/v2.0/", 1)
    config = box.config
    own = {value.lower(): value for value in (config.subscription, config.resource_group, config.workspace)}
    parts = path.split("/")
    # Names follow the fixed segments: those before the resource itself are ours, those after it belong to users.
    for index, part in enumerate(parts):
        before = parts[index - 1].lower() if index else ""
        if before in ("subscriptions", "resourcegroups", "workspaces"):
            parts[index] = own.get(part.lower(), part)
        elif before not in (
            "onlineendpoints",
            "deployments",
            "models",
            "jobs",
            "computes",
            "data",
            "datastores",
            "components",
            "schedules",
        ):
            parts[index] = _SEGMENTS.get(part.lower(), part)
    return "/".join(parts)


class Gate:
    """ASGI middleware; refusals are answered here, before any route."""

    def __init__(self, app: ASGIApp, box: Box) -> None:
        self._app, self._box, self._tokens = app, box, TokenCheck(box.config)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or refuse it in Azure's envelope."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"] = spell(scope["path"], self._box)
        send = _with_request_ids(scope, send)
        try:
            if path.startswith(CONTROL):
                self._tokens.check_control(scope, Headers(scope=scope))
            else:
                self._tokens.check(path, Headers(scope=scope))
            query = QueryParams(scope["query_string"])
            self._check_version(path, query)
            check_query(self._box, scope["method"], path, query)
        except ArmError as error:
            await arm_error(Request(scope), error)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _check_version(self, path: str, query: QueryParams) -> None:
        try:
            versions.check(path, query)
        except ArmError as error:
            if not self._box.loose:
                raise
            note(self._box, f"api-version {query.get('api-version')} of {versions.kind_of(path)}: {error.code}")


def _with_request_ids(scope: Scope, send: Send) -> Send:
    """Names the request as Azure Resource Manager does.

    Source: the common API details of the ARM resource provider contract (`x-ms-request-id`, `x-ms-correlation-request-id`;
    the client's own `x-ms-client-request-id` comes back).
    """
    asked = Headers(scope=scope)
    ids = {"x-ms-request-id": str(uuid.uuid4())}
    ids["x-ms-correlation-request-id"] = asked.get("x-ms-correlation-request-id") or ids["x-ms-request-id"]
    if "x-ms-client-request-id" in asked:
        ids["x-ms-client-request-id"] = asked["x-ms-client-request-id"]

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in ids.items():
                headers.setdefault(name, value)
        await send(message)

    return sending


def arm_error(_request: Request, error: Exception) -> Response:
    """An ArmError as Azure answers it."""
    if not isinstance(error, ArmError):
        raise error
    headers = {"WWW-Authenticate": 'Bearer error="invalid_token"'} if error.status == 401 else {}
    return JSONResponse(error.envelope(), status_code=error.status, headers=headers)


def unexpected(request: Request, error: Exception) -> Response:
    """A bug of the emulator: the log has the trace, the client a plain 500."""
    _log.error("%s %s broke", request.method, request.url.path, exc_info=error)
    message = f"{type(error).__name__} in the emulator; see its log. This is a bug of the emulator."
    return JSONResponse(ArmError(500, "InternalServerError", message).envelope(), status_code=500)


class Unsupported:
    """The last route: says 404 for resources of somebody else, 501 for what nobody implemented, and counts the latter."""

    def __init__(self, box: Box) -> None:
        self._box = box

    async def refuse(self, request: Request) -> Response:
        """An error, and nothing but errors where the emulator is strict."""
        path, config = request.url.path, self._box.config
        match = re.match(r"^/subscriptions/([^/]+)(?:/resourceGroups/([^/]+).*?(?:/workspaces/([^/]+))?(?:/|$))?", path)
        if match and match[1] != config.subscription:
            raise NotFound(f"The subscription '{match[1]}' could not be found.", "SubscriptionNotFound")
        if match and match[2] and match[2] != config.resource_group:
            raise NotFound(f"Resource group '{match[2]}' could not be found.", "ResourceGroupNotFound")
        workspace = re.search(r"/workspaces/([^/]+)", path)
        if workspace and workspace[1] != config.workspace:
            raise NotFound(f"The workspace '{workspace[1]}' could not be found in {config.resource_group!r}.")
        self._box.unsupported[f"{request.method} {path}"] += 1
        if self._box.loose and path.startswith("/subscriptions/"):
            return await self._ignored(request)
        raise NotImplementedHere(request.method, path)

    async def _ignored(self, request: Request) -> Response:
        """What a loose emulator says to an unknown operation of ARM: nothing is there, and what is sent comes back unkept."""
        if request.method in ("GET", "HEAD"):
            raise NotFound(f"The resource {request.url.path!r} was not found.")
        if request.method == "DELETE":
            return Response(status_code=204)
        return JSONResponse(
            {"id": request.url.path, "name": request.url.path.rsplit("/", 1)[-1], **await body(request)}
        )

    async def report(self, _request: Request) -> Response:
        """GET /_emulator/unsupported: what was asked for in vain, since the start."""
        return JSONResponse(
            {"unsupported": [{"call": call, "count": count} for call, count in self._box.unsupported.most_common()]}
        )
