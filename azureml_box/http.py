"""Requests in, answers out: JSON bodies, pages and the answers of long-running operations."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse

from azureml_box import shapes
from azureml_box.contract.check import check_body
from azureml_box.errors import BadRequest
from azureml_box.store import Numbered

if TYPE_CHECKING:
    from azureml_box.context import Box

PAGE_SIZE = 100
_WHOLE = re.compile(r"[0-9]{1,18}")  # what SQLite takes


async def body(request: Request) -> dict[str, Any]:
    """The request's JSON object, held against the contract; an empty body is an empty object."""
    doc = shapes.parsed(await request.body())
    shapes.check(request.url.path, doc)
    check_body(request, doc)
    return doc


def public(doc: dict[str, Any]) -> dict[str, Any]:
    """The document without its private keys, those that begin with an underscore."""
    return {key: value for key, value in doc.items() if not key.startswith("_")}


def json(doc: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """A JSON answer; private keys (`_…`) of the document stay inside."""
    return JSONResponse(public(dict(doc)), status_code=status, headers=dict(headers or {}))


def made(box: Box, request: Request, doc: Mapping[str, Any], new: bool) -> JSONResponse:
    """The answer of a PUT: 201 with the resource's address where it is new, else 200."""
    if not new:
        return json(doc)
    return json(doc, 201, {"Location": f"{box.config.base_url}{quote(request.url.path)}?{request.url.query}"})


def accepted(
    box: Box, request: Request, operation: str, doc: Mapping[str, Any] | None = None, status: int = 202
) -> JSONResponse:
    """The answer that starts a long-running operation: the SDK polls `Azure-AsyncOperation`, at our pace of 1 s."""
    version = request.query_params.get("api-version", "2023-04-01")
    poll, query = f"{box.config.base_url}/operations/{operation}", f"?api-version={version}"
    headers = {"Azure-AsyncOperation": poll + query, "Location": f"{poll}/result{query}", "Retry-After": "1"}
    return json(doc or {}, status, headers)


def listed(
    box: Box,
    request: Request,
    kind: str,
    keep: Callable[[dict[str, Any]], bool] = lambda _doc: True,
    *,
    below: str | None = None,
    newest_first: bool = False,
    shown: Callable[[dict[str, Any]], dict[str, Any]] = lambda doc: doc,
) -> JSONResponse:
    """One page of a kind's documents, in order of creation; its cost does not grow with what lies before it.

    `nextLink` names the last document of the page: what is made meanwhile neither shifts the pages nor is seen twice. An
    explicit `$top` is a limit. `below` narrows by place (`Store.page`), `keep` by content; `shown` is asked for what the page
    shows, and for no more.
    """
    after = _whole(request, "$skiptoken")
    skip = _whole(request, "$skip") or 0
    top = _whole(request, "$top")
    size = min(max(top or _whole(request, "count") or PAGE_SIZE, 1), PAGE_SIZE)
    found: Numbered = []
    while len(found) <= size + skip:
        batch = box.store.page(kind, PAGE_SIZE, after=after, below=below, newest_first=newest_first)
        found += [(number, doc) for number, doc in batch if keep(doc)]
        if len(batch) < PAGE_SIZE:
            break
        after = batch[-1][0]
    answer: dict[str, Any] = {"value": [public(shown(doc)) for _, doc in found[skip : skip + size]]}
    if len(found) > size + skip and (top is None or top > size):
        answer["nextLink"] = _next(box, request, found[skip + size - 1][0], top and top - size)
    return json(answer)


def _next(box: Box, request: Request, last: int, left: int | None) -> str:
    query = {key: value for key, value in request.query_params.items() if key != "$skip"} | {"$skiptoken": str(last)}
    if left is not None:
        query["$top"] = str(left)
    return f"{box.config.base_url}{request.url.path}?{urlencode(query)}"


def _whole(request: Request, name: str) -> int | None:
    text = request.query_params.get(name)
    if not text:
        return None
    if not _WHOLE.fullmatch(text):
        raise BadRequest(f"{name} must be a whole number, not {text[:40]!r}.", "InvalidQueryParameter")
    return int(text)
