"""OpenAI's chat completions, from a request's bytes to an answer's."""

from __future__ import annotations

from typing import Any

import msgspec

from shared.endpoints import openai
from shared.endpoints.scoring import MAX_BODY, ScoringError, ask
from shared.runs import store


async def complete(body: bytes) -> tuple[bytes, str]:
    """The answer and its media type.

    Raises:
        ScoringError: what to answer instead.
    """
    if len(body) > MAX_BODY:
        raise ScoringError(
            413, "request_too_large", f"the body has {len(body):,} bytes, at most {MAX_BODY:,} are taken"
        )
    request = openai.parse(body)
    asked = openai.to_endpoint(request)
    whole = openai.answer(request, await ask(_name(request["model"]), asked))
    if request.get("stream"):
        options = request.get("stream_options")
        wants_usage = isinstance(options, dict) and bool(options.get("include_usage"))
        return openai.event_stream(whole, wants_usage), "text/event-stream"
    return msgspec.json.encode(whole), "application/json"


def _name(model: str) -> str:
    name, pinned, _ = model.partition("@")
    if pinned:
        raise ScoringError(404, "model_not_found", f"{model!r}: only the live version answers for now", field="model")
    return name


def listed() -> dict[str, Any]:
    """The models that can be asked, asleep or not."""
    records = [record for record in store.all_of("endpoint") if record.run]
    return openai.models([(record.name, record.created) for record in records])
