"""Answers other than 200, as OpenAI's clients understand them.

What an endpoint's own status means, and whether asking again helps (source: AZUREML_CONTRACT section 3). OpenAI's clients
ask again after 408, 409, 429 and 5xx, twice by default, and sleep out a `Retry-After` of up to two minutes; the header
`x-should-retry` overrules both (openai-python 2.x, `_base_client.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.endpoints.wire import CONTAINER_GONE, header, model_status

KINDS = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}


class ScoringError(Exception):
    """An answer other than 200: status, OpenAI's error code and type, the field, and headers.

    `hold`: so many seconds it pays to keep the caller and try again by ourselves, unless it said how long it waits.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        field: str | None = None,
        headers: dict[str, str] | None = None,
        hold: float = 0.0,
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.field = status, code, message, field
        self.headers, self.hold = headers or {}, hold

    def envelope(self) -> dict[str, Any]:
        """OpenAI's error envelope."""
        return envelope(self.status, self.code, self.message, self.field)


def envelope(status: int, code: str, message: str, field: str | None = None) -> dict[str, Any]:
    """OpenAI's error envelope: a message, a type by status, the field it is about, and a code for programs."""
    kind = KINDS.get(status) or ("invalid_request_error" if status < 500 else "server_error")
    return {"error": {"message": message, "type": kind, "param": field, "code": code}}


def bad(field: str, message: str, code: str = "invalid_value") -> ScoringError:
    """400: a field is wrong, or asks for something that cannot be honoured."""
    return ScoringError(400, code, message, field=field)


def too_large(size: int, most: int) -> ScoringError:
    """413: a body of `size` bytes."""
    return ScoringError(413, "request_too_large", f"the body has {size:,} bytes, at most {most:,} are taken")


def busy(seconds: float, message: str, hold: float = 0.0) -> ScoringError:
    """429: come back in so many seconds."""
    headers = {"Retry-After": str(max(1, round(seconds)))}
    return ScoringError(429, "rate_limit_exceeded", message, headers=headers, hold=hold)


def unavailable(name: str, seconds: float = 5.0) -> ScoringError:
    """503: it cannot be reached right now."""
    told, headers = f"the model {name!r} cannot be reached right now", {"Retry-After": str(max(1, round(seconds)))}
    return ScoringError(503, "model_unavailable", told, headers=headers)


def refusal(name: str, status: int, headers: Mapping[str, str], busy_hold: float) -> ScoringError:
    """What to answer for an endpoint's status other than 200."""
    if status in (404, 0):
        return unavailable(name)  # deleted in this very moment (falling asleep): never a bare 404
    if status == 429:
        return busy(_seconds(headers, "retry-after"), "the model is busy", busy_hold)
    if status == 408:
        told = "the model took longer than a request may take: ask for fewer tokens, or again when it is less busy"
        return ScoringError(504, "timeout", told, headers={"Retry-After": "5"})
    if status in (401, 403):
        return ScoringError(
            502, "endpoint_refused", "the endpoint refuses droptune's key", headers={"Retry-After": "5"}
        )
    if status == 424:
        return _model_failed(name, model_status(headers))
    if status == 400:
        return ScoringError(400, "invalid_input", "the endpoint refuses this body", field="input_data")
    return ScoringError(502, "endpoint_failed", f"the endpoint answered {status}", headers={"Retry-After": "5"})


def _model_failed(name: str, reason: str) -> ScoringError:
    """424: the model's own server answered something else than 200, named in a header, or its probes fail."""
    if reason in ("400", "413", "415", "422"):
        return ScoringError(400, "invalid_input", "the model refuses this input", field="input_data")
    if reason in CONTAINER_GONE:
        return unavailable(name)
    return ScoringError(502, "model_failed", "the model could not answer this input", headers={"Retry-After": "1"})


def _seconds(headers: Mapping[str, str], wanted: str) -> float:
    try:
        return min(600.0, max(1.0, float(header(headers, wanted))))
    except ValueError:
        return 1.0
