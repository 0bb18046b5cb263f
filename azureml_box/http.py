"""Requests in, answers out: JSON bodies, pages and the answers of long-running operations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse

from azureml_box import shapes
from azureml_box.contract.check import check_body
from azureml_box.errors import BadRequest

if TYPE_CHECKING:
    from azureml_box.context import Box

PAGE_SIZE = 100


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


def page_window(request: Request) -> tuple[int, int]:
    """(offset, size) of the page asked for by `$skip`, `$top` and our own skip token."""
    try:
        skip = int(request.query_params.get("$skiptoken") or request.query_params.get("$skip") or 0)
        top = int(request.query_params.get("$top") or request.query_params.get("count") or PAGE_SIZE)
    except ValueError as error:
        raise BadRequest(f"$skip and $top must be numbers: {error}", "InvalidQueryParameter") from None
    return max(skip, 0), min(max(top, 1), PAGE_SIZE)


def page(box: Box, request: Request, docs: list[dict[str, Any]]) -> JSONResponse:
    """One page of `docs` (all matches) with `nextLink` to the following one; an explicit `$top` is a limit."""
    offset, size = page_window(request)
    answer: dict[str, Any] = {"value": [public(doc) for doc in docs[offset : offset + size]]}
    if offset + size < len(docs) and "$top" not in request.query_params:
        query = {**request.query_params, "$skiptoken": str(offset + size)}
        answer["nextLink"] = f"{box.config.base_url}{request.url.path}?{urlencode(query)}"
    return json(answer)


def newest_page(box: Box, request: Request, kind: str, keep: Callable[[dict[str, Any]], bool]) -> JSONResponse:
    """One page of a kind's documents, newest first; its cost does not grow with what lies before it.

    `nextLink` names the last document of the page: what is made meanwhile neither shifts the pages nor is seen twice.
    """
    before = _whole(request.query_params.get("$skiptoken"), "$skiptoken")
    skip = _whole(request.query_params.get("$skip"), "$skip") or 0
    asked = _whole(request.query_params.get("$top"), "$top")
    size = min(max(asked or PAGE_SIZE, 1), PAGE_SIZE)
    found: list[tuple[int, dict[str, Any]]] = []
    while len(found) <= size + skip:
        batch = box.store.newest(kind, before, PAGE_SIZE)
        found += [(number, doc) for number, doc in batch if keep(doc)]
        if len(batch) < PAGE_SIZE:
            break
        before = batch[-1][0]
    answer: dict[str, Any] = {"value": [public(doc) for _, doc in found[skip : skip + size]]}
    if len(found) > size + skip and asked is None:
        query = {key: value for key, value in request.query_params.items() if key != "$skip"}
        query["$skiptoken"] = str(found[skip + size - 1][0])
        answer["nextLink"] = f"{box.config.base_url}{request.url.path}?{urlencode(query)}"
    return json(answer)


def _whole(text: str | None, name: str) -> int | None:
    if text is None or text == "":
        return None
    if not text.isdigit():
        raise BadRequest(f"{name} must be a whole number, not {text!r}.", "InvalidQueryParameter")
    return int(text)
