"""Event Grid's webhook: `POST /runtime/webhooks/EventGrid?functionName=NAME`.

Source: the Functions host's Event Grid extension (HttpRequestProcessor) and
https://learn.microsoft.com/azure/event-grid/end-point-validation-event-grid-events-schema
"""

import asyncio
import json
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from local.functions_host.index import Function
from local.functions_host.invoker import Invoker, document
from local.functions_host.keys import Keys

PATH = "/runtime/webhooks/EventGrid"
VALIDATION = "SubscriptionValidation"


class EventGridWebhook:
    """Hands each event of a delivery to its function and answers when all have ended."""

    def __init__(self, functions: list[Function], invoker: Invoker, keys: Keys) -> None:
        self._functions = {function.name.lower(): function for function in functions}
        self._invoker, self._keys = invoker, keys

    def routes(self) -> list[Route]:
        """The one path, for deliveries and for CloudEvents' handshake."""
        return [Route(PATH, self.deliver, methods=["POST"]), Route(PATH, self.handshake, methods=["OPTIONS"])]

    async def handshake(self, request: Request) -> Response:
        """Allow the sender that asks (CloudEvents' abuse protection)."""
        if refusal := self._refusal(request):
            return refusal
        return Response(headers={"Webhook-Allowed-Origin": request.headers.get("webhook-request-origin", "*")})

    async def deliver(self, request: Request) -> Response:
        """Validate a subscription, run a batch, or take an unsubscription; anything else is 400."""
        if refusal := self._refusal(request):
            return refusal
        kind = request.headers.get("aeg-event-type", "Notification" if _is_cloud_event(request) else "")
        if kind == "Unsubscribe":
            return Response(status_code=202)
        try:
            events = _events(await request.body())
        except ValueError as error:
            return PlainTextResponse(f"the body is no event: {error}", 400)
        if kind == VALIDATION:
            return _validation(events)
        if kind != "Notification":
            return PlainTextResponse(f"aeg-event-type {kind!r} is not known", 400)
        return await self._run(self._functions[request.query_params["functionName"].lower()], events)

    async def _run(self, function: Function, events: list[dict[str, Any]]) -> Response:
        """A batch's events run side by side; any failure makes the whole batch come again."""
        outcomes = await asyncio.gather(*(self._invoker.invoke(function, document(json.dumps(e))) for e in events))
        return Response(status_code=202 if all(outcome.ok for outcome in outcomes) else 500)

    def _refusal(self, request: Request) -> Response | None:
        if not self._keys.opens_eventgrid(request):
            return Response(status_code=401)
        name = request.query_params.get("functionName", "")
        if name.lower() not in self._functions:
            return PlainTextResponse(f"cannot find function: '{name}'", 404)
        return None


def _is_cloud_event(request: Request) -> bool:
    return request.headers.get("content-type", "").startswith("application/cloudevents")


def _events(body: bytes) -> list[dict[str, Any]]:
    doc = json.loads(body)
    events = doc if isinstance(doc, list) else [doc]
    if not all(isinstance(event, dict) for event in events):
        raise ValueError("an event must be a JSON object")
    return events


def _validation(events: list[dict[str, Any]]) -> Response:
    data = events[0].get("data") if events else None
    if not isinstance(data, dict) or "validationCode" not in data:
        return PlainTextResponse("data.validationCode is missing", 400)
    return JSONResponse({"validationResponse": data["validationCode"]})
