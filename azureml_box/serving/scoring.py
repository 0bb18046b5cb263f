"""The data plane of endpoints: POST /endpoints/{name}/score.

Status codes and headers: how-to-troubleshoot-online-endpoints (HTTP status codes).
"""

from __future__ import annotations

import asyncio
import random
import re
import time
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from azureml_box.auth import TokenCheck
from azureml_box.errors import ArmError
from azureml_box.serving import keys
from azureml_box.serving.forwarding import RefusedError, forward, model_error
from azureml_box.serving.names import choose, mirrored
from azureml_box.serving.service import DEPLOYMENTS, ENDPOINTS

if TYPE_CHECKING:
    from azureml_box.context import Box

_QUEUE = 64
_DEPLOYMENT = "azureml-model-deployment"


class Scoring:
    """Authorises, chooses a deployment, passes the request on, counts it."""

    def __init__(self, box: Box) -> None:
        self._box, self._tokens = box, TokenCheck(box.config)
        self._copies: set[asyncio.Task[None]] = set()

    async def score(self, request: Request) -> Response:
        """POST /endpoints/{name}/score."""
        began, name = time.perf_counter(), request.path_params["endpoint"]
        doc, deployment = self._box.store.get(ENDPOINTS, name), ""
        body = await request.body()
        try:
            doc = self._authorised(doc, name, request)
            deployment = self._pick(doc, request)
            self._mirror(doc, name, body, request)
            answer = await self._ask(f"{name}/{deployment}", body)
        except RefusedError as refusal:
            error = {"error": {"code": refusal.code, "message": str(refusal)}}
            answer = JSONResponse(error, refusal.status, refusal.headers)
        if deployment:
            answer.headers[_DEPLOYMENT] = deployment
        _identify(request, answer)
        if doc is not None:
            spent = (time.perf_counter() - began) * 1000
            self._box.serving.metrics.record(name, deployment, answer.status_code, spent, datetime.now(UTC))
        return answer

    async def swagger(self, request: Request) -> Response:
        """GET /endpoints/{name}/swagger.json."""
        name = request.path_params["endpoint"]
        try:
            self._authorised(self._box.store.get(ENDPOINTS, name), name, request)
        except RefusedError as refusal:
            return JSONResponse({"error": {"code": refusal.code, "message": str(refusal)}}, refusal.status)
        shape = {
            "type": "object",
            "required": ["input_data"],
            "properties": {"input_data": {}, "params": {"type": "object"}},
        }
        content = {"application/json": {"schema": shape}}
        answers = {"200": {"description": "The model's answer", "content": {"application/json": {"schema": {}}}}}
        post = {"requestBody": {"required": True, "content": content}, "responses": answers}
        return JSONResponse(
            {"openapi": "3.0.3", "info": {"title": name, "version": "1"}, "paths": {"/score": {"post": post}}}
        )

    def _authorised(self, doc: dict[str, Any] | None, name: str, request: Request) -> dict[str, Any]:
        if doc is None:
            raise RefusedError(404, "NotFound", f"There is no endpoint {name!r}.")
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        mode, given = doc["properties"]["authMode"], given.strip()
        if scheme.lower() != "bearer" or not given:
            raise RefusedError(401, "Unauthorized", "The Authorization header with a Bearer key or token is missing.")
        if mode == "AADToken":
            try:
                self._tokens.check("/score", request.headers)
            except ArmError as error:
                raise RefusedError(401, "Unauthorized", error.message) from None
        elif not (keys.key_fits if mode == "Key" else keys.token_fits)(doc["_keys"], given):
            raise RefusedError(401, "Unauthorized", "The key or token is wrong or has expired.")
        return doc

    def _pick(self, doc: dict[str, Any], request: Request) -> str:
        name = request.headers.get(_DEPLOYMENT)
        if name is None:
            name = choose(doc["properties"]["traffic"], random.random())
            if name is None:
                raise RefusedError(404, "NotFound", "The endpoint has no valid deployment with positive traffic.")
        elif self._box.store.get(DEPLOYMENTS, f"{doc['name']}/{name}") is None:
            raise RefusedError(404, "NotFound", f"There is no deployment {name!r} in endpoint {doc['name']!r}.")
        return name

    async def _ask(self, key: str, body: bytes) -> Response:
        keeper = self._box.serving.keepers.get(key)
        if keeper is None or keeper.process is None:
            raise model_error(503, "The deployment's container is not ready.")
        if keeper.pending >= _QUEUE + keeper.launch.concurrency:
            raise RefusedError(
                429, "TooManyRequests", f"More than {_QUEUE} requests wait already.", {"Retry-After": "1"}
            )
        keeper.pending += 1
        try:
            return await forward(keeper, body)
        finally:
            keeper.pending -= 1

    def _mirror(self, doc: dict[str, Any], name: str, body: bytes, request: Request) -> None:
        if _DEPLOYMENT in request.headers:
            return
        target = mirrored(doc["properties"]["mirrorTraffic"], random.random())
        if target is not None:
            task = asyncio.create_task(self._copy(f"{name}/{target}", body))
            self._copies.add(task)
            task.add_done_callback(self._copies.discard)

    async def _copy(self, key: str, body: bytes) -> None:
        """The answer of mirrored traffic is dropped, whatever it is."""
        try:
            await self._ask(key, body)
        except RefusedError:
            return


def _identify(request: Request, answer: Response) -> None:
    answer.headers["x-request-id"] = str(uuid.uuid4())
    given = request.headers.get("x-ms-client-request-id")
    if given:
        answer.headers["x-ms-client-request-id"] = re.sub(r"[^A-Za-z0-9_-]", "", given)[:40]


def routes(box: Box) -> list[Route]:
    """Scoring and the description of it."""
    scoring = Scoring(box)
    return [
        Route("/endpoints/{endpoint}/score", scoring.score, methods=["POST"]),
        Route("/endpoints/{endpoint}/swagger.json", scoring.swagger, methods=["GET"]),
    ]
