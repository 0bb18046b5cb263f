"""Asking a model: the one path for both bodies, with a line, a pooled client, time-outs, and errors a client understands."""

from __future__ import annotations

import asyncio

import msgspec

from shared import clock
from shared.azure.outside import outside
from shared.azure.seen import Reply
from shared.endpoints import fallback, usage
from shared.endpoints import target as targets
from shared.endpoints.refusals import ScoringError, refusal, too_large
from shared.errors import ServiceError, TransientError, UnreadableError

__all__ = ["MAX_BODY", "Question", "ScoringError", "ask"]

MAX_BODY = 1024 * 1024
OPENAI_PATIENCE = 120
NEARLY_AWAKE = 10  # seconds: who comes so shortly before a model answers is kept rather than sent away
HOLD_NEARLY_AWAKE = 25.0
HOLD_BUSY = 15.0


class Question(msgspec.Struct, frozen=True):
    """A body for the model of a name, or of one of its runs; `plain` is what to send where the model refuses `body`.

    `recent`: an endpoint that does not answer yet is looked at again only after so many seconds.
    """

    name: str
    body: bytes
    run: str = ""
    plain: bytes = b""
    recent: float = 0.0


async def ask(name: str, body: bytes) -> bytes:
    """Sends a body to the model of a name and returns its answer unchanged.

    Raises:
        ScoringError: 404 no such model, 503 asleep (a wake-up is under way), 413, or what the endpoint said.
    """
    return await put(Question(name, body))


async def put(question: Question) -> bytes:
    """The endpoint's answer to a question.

    Raises:
        ScoringError: 404 no such model, 503 asleep (a wake-up is under way), 429 busy, 413, or what the endpoint said.
    """
    if len(question.body) > MAX_BODY:
        raise too_large(len(question.body), MAX_BODY)
    try:
        return await _put(question)
    except (ServiceError, UnreadableError) as error:
        asked = error.retry_after if isinstance(error, TransientError) else None
        headers = {"Retry-After": str(round(asked or 5))}
        told = f"the model {question.name!r} cannot be reached right now"
        raise ScoringError(503, "service_unavailable", told, headers=headers) from error


async def _put(question: Question) -> bytes:
    name = question.name
    for attempt in (1, 2):
        found = await targets.find(name, fresh=attempt > 1, recent=question.recent)
        if found is None or found.record.state == "absent":
            raise ScoringError(404, "model_not_found", f"there is no model {name!r}", field="model")
        pinned = await _pinned(found, question.run)
        if found.record.state != "awake":
            raise await _asleep(name, found)
        reply = await _asked(question, found, pinned)
        if not pinned:
            reply = await fallback.stable_answer(found.record, found.key, question.body, reply)
        if reply.status == 200:
            return reply.body
        if attempt == 1 and reply.status in (401, 403, 404, 0):
            targets.forget_key(name)  # the key was changed, or the deployment went away: read the record anew
            continue
        raise refusal(name, reply.status, reply.headers, HOLD_BUSY)
    raise AssertionError("unreachable")


async def _pinned(found: targets.Target, run: str) -> str:
    """The deployment to name to the endpoint, or none: then its traffic decides. The live run wakes as its name does."""
    record = found.record
    if not run:
        return ""
    if record.run == targets.run_of(record.name, run):
        return record.deployment
    return await asyncio.to_thread(targets.standing, record, run)


async def _asked(question: Question, found: targets.Target, pinned: str) -> Reply:
    record = found.record
    deployment = pinned or record.deployment
    line = await targets.line_before(record.endpoint_name, deployment)
    plain: set[str] = outside().memory.setdefault("plain", set())
    body = question.plain if question.plain and deployment in plain else question.body
    await line.enter()
    began = clock.monotonic()
    try:
        with usage.sending(question.name):
            reply = await outside().inference.ask(record.scoring_uri, found.key, body, pinned)
        if reply.status in (400, 424) and question.plain and body is not question.plain:
            with usage.sending(question.name):
                reply = await outside().inference.ask(record.scoring_uri, found.key, question.plain, pinned)
            if reply.status == 200:
                plain.add(deployment)
        return reply
    finally:
        line.leave(began)


async def _asleep(name: str, found: targets.Target) -> ScoringError:
    await targets.wake_once(name)
    record = found.record
    seconds = targets.wake_seconds(record)
    headers = {"Retry-After": str(seconds), "x-droptune-state": "waking"}
    if seconds > OPENAI_PATIENCE:
        headers["x-should-retry"] = "false"
    message = f"the model {name!r} was asleep and is waking up: ask again in {seconds} s"
    hold = HOLD_NEARLY_AWAKE if record.state != "asleep" and seconds <= NEARLY_AWAKE else 0.0
    return ScoringError(503, "model_asleep", message, headers=headers, hold=hold)
