"""Asking a model: the one path for both bodies, with a pooled client, time-outs, and errors that a client understands."""

from __future__ import annotations

import asyncio
from typing import Any

from shared.azure.outside import outside
from shared.endpoints import fallback, usage
from shared.endpoints import target as targets
from shared.errors import ServiceError, TransientError, UnreadableError

MAX_BODY = 1024 * 1024
_OPENAI_PATIENCE = 120


class ScoringError(Exception):
    """An answer other than 200: status, OpenAI's error code and type, the field, and headers."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        field: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.field = status, code, message, field
        self.headers = headers or {}

    def envelope(self) -> dict[str, Any]:
        """OpenAI's error envelope."""
        kind = "invalid_request_error" if self.status < 500 and self.status != 429 else "server_error"
        return {"error": {"message": self.message, "type": kind, "param": self.field, "code": self.code}}


async def ask(name: str, body: bytes) -> bytes:
    """Sends a body to the model of a name and returns its answer unchanged.

    Raises:
        ScoringError: 404 no such model, 503 asleep (a wake-up is under way), 413, or what the endpoint said.
    """
    if len(body) > MAX_BODY:
        raise ScoringError(
            413, "request_too_large", f"the body has {len(body):,} bytes, at most {MAX_BODY:,} are taken"
        )
    try:
        return await _ask(name, body)
    except (ServiceError, UnreadableError) as error:
        asked = error.retry_after if isinstance(error, TransientError) else None
        headers = {"Retry-After": str(round(asked or 5))}
        told = f"the model {name!r} cannot be reached right now"
        raise ScoringError(503, "service_unavailable", told, headers=headers) from error


async def _ask(name: str, body: bytes) -> bytes:
    for attempt in (1, 2):
        found = await asyncio.to_thread(targets.target, name, fresh=attempt > 1)
        if found is None or found.record.state == "absent":
            raise ScoringError(404, "model_not_found", f"there is no model {name!r}", field="model")
        if found.record.state != "awake":
            raise await _asleep(name, found)
        usage.note(name)
        reply = await outside().inference.ask(found.record.scoring_uri, found.key, body)
        reply = await fallback.stable_answer(found.record, found.key, body, reply)
        if reply.status == 200:
            return reply.body
        if attempt == 1 and reply.status in (401, 403, 404, 0):
            targets.forget_key(name)  # the key was changed, or the deployment went away: read the record anew
            continue
        raise _refusal(name, reply.status, reply.headers)
    raise AssertionError("unreachable")


async def _asleep(name: str, found: targets.Target) -> ScoringError:
    await asyncio.to_thread(targets.ask_to_wake, name)
    seconds = targets.wake_seconds(found.record)
    headers = {"Retry-After": str(seconds), "x-droptune-state": "waking"}
    if seconds > _OPENAI_PATIENCE:
        headers["x-should-retry"] = "false"
    message = f"the model {name!r} was asleep and is waking up: ask again in {seconds} s"
    return ScoringError(503, "model_asleep", message, headers=headers)


def _refusal(name: str, status: int, headers: dict[str, str]) -> ScoringError:
    if status in (404, 0):
        # Deleted in this very moment (falling asleep): never a bare 404.
        seconds = "5"
        return ScoringError(
            503,
            "model_unavailable",
            f"the model {name!r} cannot be reached right now",
            headers={"Retry-After": seconds},
        )
    if status == 429:
        wait = next((value for key, value in headers.items() if key.lower() == "retry-after"), "1")
        return ScoringError(429, "rate_limit_exceeded", "the model is busy", headers={"Retry-After": wait})
    if status == 408:
        return ScoringError(504, "timeout", "the model took too long")
    if status in (401, 403):
        return ScoringError(502, "endpoint_refused", "the endpoint refuses droptune's key")
    if status == 424:
        reason = next((v for k, v in headers.items() if k.lower() == "ms-azureml-model-error-statuscode"), "")
        if reason == "400":
            return ScoringError(400, "invalid_input", "the model refuses this input", field="input_data")
        return ScoringError(502, "model_failed", "the model could not answer this input")
    if status == 400:
        return ScoringError(400, "invalid_input", "the endpoint refuses this body", field="input_data")
    return ScoringError(502, "endpoint_failed", f"the endpoint answered {status}")
