"""What a fault does to a call: its kinds, and the fields that each takes."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any

# What is left out of an error's fields is Azure's own for the status.
_CODES = {
    400: ("UserError", "The request is invalid."),
    401: ("InvalidAuthenticationToken", "The access token is invalid."),
    403: ("AuthorizationFailed", "The client does not have authorization to perform this action."),
    404: ("ResourceNotFound", "The resource was not found."),
    408: ("RequestTimeout", "The request timed out."),
    409: ("Conflict", "The request conflicts with the state of the resource."),
    412: ("PreconditionFailed", "The condition that the request names is not met."),
    429: ("TooManyRequests", "The request is being throttled."),
    500: ("InternalServerError", "An internal server error occurred."),
    502: ("BadGateway", "The server received an invalid response from an upstream server."),
    503: ("ServiceUnavailable", "The service is temporarily unavailable."),
    504: ("GatewayTimeout", "The gateway did not receive a response within the specified time period."),
}
KINDS = {
    "status": "an error in Azure's envelope",
    "html": "an error as a gateway in front of Azure sends it, in HTML",
    "garbage": "200 with a body that is no JSON",
    "half": "all headers, half of the body, then the connection closes; an answer without a body is not sent at all",
    "half_reset": "all headers, half of the body, then a TCP reset",
    "half_hang": "all headers, half of the body, then silence",
    "close": "the connection closes without an answer",
    "reset": "a TCP reset without an answer",
    "hang": "no answer, until the client leaves",
    "delay": "the true answer, late",
    "provisioning": "the call passes, and its long-running operation fails",
}
RETRY_AFTER = {
    "none": "no header",
    "seconds": "Retry-After: 5",
    "date": "Retry-After: Wed, 25 Nov 2026 01:02:03 GMT",
    "ms": "retry-after-ms and x-ms-retry-after-ms: 5000",
}
# These need an answer to cut, so the call has its effect first.
HALVES = ("half", "half_reset", "half_hang")


@dataclass(frozen=True)
class Effect:
    """One kind with its fields; `when` says whether the call has its effect first (`after`) or never (`before`)."""

    kind: str = "status"
    when: str = "before"
    status: int = 503
    code: str = ""
    message: str = ""
    delay: float = 0.0
    retry_after: str = "none"
    retry_seconds: float = 1.0

    @property
    def passes(self) -> bool:
        """Tell whether the emulator does what it was asked for."""
        return self.when == "after" or self.kind in (*HALVES, "delay", "provisioning")

    def error(self) -> tuple[str, str]:
        """Return the code and the message: those of the rule, else Azure's for the status."""
        code, message = _CODES.get(self.status, ("Error", "The request failed."))
        return self.code or code, self.message or message

    def answer(self) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers and body of what is sent in place of the true answer."""
        if self.kind == "garbage":
            return 200, {"content-type": "application/json; charset=utf-8"}, b'\x00\xff{"value": [<not json'
        code, message = self.error()
        if self.kind == "html":
            text = f"<html><head><title>{self.status} {code}</title></head><body><h1>{message}</h1></body></html>"
            return self.status, {"content-type": "text/html", **self.pause()}, text.encode()
        error: dict[str, Any] = {"code": code, "message": message, "details": [], "target": None}
        headers = {"content-type": "application/json", **self.pause()}
        if self.status == 401:
            headers["www-authenticate"] = 'Bearer error="invalid_token"'
        return self.status, headers, json.dumps({"error": error}).encode()

    def pause(self) -> dict[str, str]:
        """Return the headers that say when to come back."""
        if self.retry_after == "seconds":
            return {"retry-after": f"{self.retry_seconds:.0f}"}
        if self.retry_after == "date":
            return {"retry-after": formatdate(time.time() + self.retry_seconds, usegmt=True)}
        if self.retry_after == "ms":
            value = f"{self.retry_seconds * 1000:.0f}"
            return {"retry-after-ms": value, "x-ms-retry-after-ms": value}
        return {}
