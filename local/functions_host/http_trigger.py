"""HTTP functions: a request becomes the library's HttpRequest, its HttpResponse becomes the answer."""

from typing import Any

from azure.functions.meta import Datum
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.functions_host.http_routes import Endpoint, make_route, precedence, starlette_paths
from local.functions_host.index import Function
from local.functions_host.invoker import Invoker, text
from local.functions_host.keys import Keys

# Azure's front end takes no larger request (functions-bindings-http-webhook-trigger, "Limits").
BODY_LIMIT = 210 * 1024 * 1024


def http_routes(functions: list[Function], prefix: str, invoker: Invoker, keys: Keys) -> list[Route]:
    """One or two routes a function, the most literal first."""
    found: list[tuple[str, Endpoint, list[str] | None]] = []
    for function in functions:
        trigger = function.trigger
        methods = [method.upper() for method in trigger.get("methods") or []] or None
        template = trigger.get("route")
        for path in starlette_paths(prefix, function.name if template is None else template):
            found.append((path, _endpoint(function, invoker, keys), methods))
    found.sort(key=lambda item: precedence(item[0]))
    return [make_route(*item) for item in found]


def _endpoint(function: Function, invoker: Invoker, keys: Keys) -> Endpoint:
    level = str(function.trigger.get("authLevel", "FUNCTION")).upper()

    async def endpoint(request: Request) -> Response:
        if not keys.opens(level, request):
            return Response(status_code=401)
        if int(request.headers.get("content-length") or 0) > BODY_LIMIT:
            return Response(status_code=413)
        outcome = await invoker.invoke(function, await request_datum(request), headers=request.headers)
        # Azure answers a failed function with an empty 500: what happened stands in the log.
        return answer(outcome.returned) if outcome.ok else Response(status_code=500)

    return endpoint


async def request_datum(request: Request) -> Any:
    """Make the Datum that the library's httpTrigger converter reads."""
    value = {
        "method": text(request.method),
        "url": text(str(request.url)),
        "headers": {name: text(value) for name, value in request.headers.items()},
        "query": {name: text(value) for name, value in request.query_params.items()},
        "params": {name: text(str(value)) for name, value in request.path_params.items()},
        "body": Datum(await request.body(), "bytes"),
    }
    return Datum(value, "http")


def answer(datum: Any) -> Response:
    """Make a response of the library's `http` converter's Datum; a function that returns nothing answers 204."""
    if datum is None:
        return Response(status_code=204)
    if datum.type == "string":
        return Response(datum.value, media_type="text/plain")
    value = datum.value
    response = Response(value["body"].value, int(value["status_code"].value))
    for name, header in value["headers"].items():
        response.headers[name] = header.value
    for cookie in value["cookies"] or []:
        for morsel in cookie.values():
            response.headers.append("set-cookie", morsel.OutputString())
    return response
