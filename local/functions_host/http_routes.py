"""Azure's route templates (`score/{name}`, `{id:int}`, `{*path}`, `{name?}`) as Starlette's.

Source: https://learn.microsoft.com/azure/azure-functions/functions-bindings-http-webhook-trigger
"""

import re
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.functions_host.errors import IndexingError

Endpoint = Callable[[Request], Awaitable[Response]]
_PART = re.compile(r"\{(?P<star>\*{0,2})(?P<name>\w+)(?::(?P<kind>[^}?]+))?(?P<optional>\?)?\}")
_KINDS = {"int": "int", "long": "int", "guid": "uuid", "float": "float", "double": "float", "decimal": "float"}


def starlette_paths(prefix: str, template: str) -> list[str]:
    """Translate a template; an optional last parameter gives two paths. Raises IndexingError for unknown constraints."""
    path = "/" + "/".join(part.strip("/") for part in (prefix, template) if part.strip("/"))
    optional = [match for match in _PART.finditer(path) if match["optional"]]
    translated = _PART.sub(_parameter, path)
    if not optional:
        return [translated]
    if len(optional) > 1 or not path.endswith(optional[0][0]):
        raise IndexingError(f"the route {template!r} has an optional parameter that is not its last part")
    return [translated, path[: optional[0].start()].rstrip("/") or "/"]


def _parameter(match: re.Match[str]) -> str:
    name, kind = match["name"], match["kind"]
    if match["star"]:
        return f"{{{name}:path}}"
    if kind is None or kind == "alpha":
        return f"{{{name}}}"
    if kind not in _KINDS:
        raise IndexingError(f"the route constraint {kind!r} isn't offered by the box's host; it has {sorted(_KINDS)}")
    return f"{{{name}:{_KINDS[kind]}}}"


def make_route(path: str, endpoint: Endpoint, methods: list[str] | None) -> Route:
    """Make a route that ignores case, as Azure's do; no methods means any."""
    every = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE"]
    route = Route(path, endpoint, methods=methods or every)
    if methods and "HEAD" not in methods and route.methods:
        route.methods.discard("HEAD")  # Starlette adds it to GET; Azure doesn't
    route.path_regex = re.compile(route.path_regex.pattern, re.IGNORECASE)
    return route


def precedence(path: str) -> list[tuple[int, str]]:
    """Sort key: words before parameters before catch-alls, whatever the order in the app."""
    rank = {True: 1, False: 0}
    return [(2 if ":path}" in part else rank["{" in part], part) for part in path.split("/")]
