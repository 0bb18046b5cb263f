"""Whether a caller may ask: his key, the models it may ask, and how often."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from shared import access, gate, rates
from shared.access import Key
from shared.endpoints.refusals import ScoringError, busy
from shared.errors import ServiceError

SCOPE = "score"


async def admit(headers: Mapping[str, str], query: Mapping[str, str]) -> Key:
    """The caller; a key that is known already costs no call.

    Raises:
        ScoringError: 401, or 503 where the keys cannot be read.
    """
    presented = access.presented(headers, query)
    try:
        if access.is_fresh(presented):
            key = gate.caller(headers, query, SCOPE, presented)
        else:
            key = await asyncio.to_thread(gate.caller, headers, query, SCOPE, presented)
    except ServiceError as error:
        raise _unreadable() from error
    if key is None:
        raise ScoringError(401, "invalid_api_key", gate.why_not(headers, query, SCOPE))
    return key


async def may_ask(key: Key, model: str) -> None:
    """Takes one question of the key's minute.

    Raises:
        ScoringError: 403 another model, 429 too many in this minute, 503 the counts cannot be read.
    """
    if not key.asks(model):
        told = f"this key may ask {', '.join(key.models)}, not {model!r}"
        raise ScoringError(403, "model_not_allowed", told, field="model")
    try:
        if rates.is_free(key.id, key.per_minute):
            wait = rates.take(gate.STORE, key.id, key.per_minute)
        else:
            wait = await asyncio.to_thread(rates.take, gate.STORE, key.id, key.per_minute)
    except ServiceError as error:
        raise _unreadable() from error
    if wait:
        raise busy(wait, f"this key may ask {key.per_minute} times a minute")


def _unreadable() -> ScoringError:
    told = "the keys cannot be read right now"
    return ScoringError(503, "service_unavailable", told, headers={"Retry-After": "5"})
