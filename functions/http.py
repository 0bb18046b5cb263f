"""What all HTTP functions share: the one gate, JSON, and errors that never carry a stack trace."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import azure.functions as func


def denied(request: func.HttpRequest, scope: str) -> func.HttpResponse | None:
    """None where the request's key has the scope, else the 401 to answer."""
    from shared.access import allowed, presented
    from shared.azure.blobs import Container

    key = presented(request.headers, request.params)
    if key and allowed(Container("access"), key, scope):
        return None
    told = "no key" if not key else f"this key is not valid here, or lacks the scope {scope!r}"
    return problem(401, "invalid_api_key", f"{told}: make one with `droptune keys make`")


def reply(document: Any, status: int = 200, headers: dict[str, str] | None = None) -> func.HttpResponse:
    """A JSON answer."""
    import msgspec

    return func.HttpResponse(
        msgspec.json.encode(document), status_code=status, headers=headers, mimetype="application/json"
    )


def problem(
    status: int, code: str, message: str, *, field: str | None = None, headers: dict[str, str] | None = None
) -> func.HttpResponse:
    """An error in OpenAI's envelope, which all our routes use."""
    kind = "invalid_request_error" if status < 500 else "server_error"
    return reply({"error": {"message": message, "type": kind, "param": field, "code": code}}, status, headers)


def guarded(request: func.HttpRequest, scope: str, call: Callable[[], Any], status: int = 200) -> func.HttpResponse:
    """Passes the gate, calls one thing, and maps its outcome."""
    from shared import errors

    try:
        return denied(request, scope) or reply(call(), status)
    except errors.NotFoundError as error:
        return problem(404, "not_found", _told(error))
    except errors.UserError as error:
        return problem(400, "invalid_request", _told(error), field=error.field)
    except errors.ConflictError as error:
        return problem(409, "conflict", _told(error), headers={"Retry-After": "1"})
    except errors.ServiceError as error:
        logging.warning("%s: %s", request.method, error.reason)
        return problem(503, "service_unavailable", error.reason, headers={"Retry-After": "5"})


def _told(error: Any) -> str:
    return f"{error.reason}; {error.fix}" if error.fix else str(error.reason)
