"""What all HTTP functions share: the one gate, JSON, and errors that never carry a stack trace."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import azure.functions as func


def denied(request: func.HttpRequest, scope: str) -> func.HttpResponse | None:
    """None where the caller has the scope, else the 401 to answer."""
    from shared import gate

    if gate.caller(request.headers, request.params, scope) is not None:
        return None
    return problem(401, "invalid_api_key", gate.why_not(request.headers, request.params, scope))


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
    from shared.endpoints.refusals import envelope

    return reply(envelope(status, code, message, field), status, headers)


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
