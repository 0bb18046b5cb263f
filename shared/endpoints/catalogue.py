"""The models that can be asked, as OpenAI lists them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from shared import gate
from shared.endpoints import admission, completion
from shared.endpoints import target as targets
from shared.endpoints.refusals import ScoringError, unavailable
from shared.errors import ServiceError, UnreadableError
from shared.runs import store


def listed(headers: Mapping[str, str], query: Mapping[str, str]) -> dict[str, Any]:
    """All models, asleep or not; for a key that may ask some only, those."""
    key = gate.caller(headers, query, admission.SCOPE)
    records = [record for record in store.all_of("endpoint") if record.run and (key is None or key.asks(record.name))]
    return completion.models([(record.name, record.created) for record in records])


async def one(headers: Mapping[str, str], query: Mapping[str, str], model: str) -> dict[str, Any]:
    """One model, or one of its versions that stands.

    Raises:
        ScoringError: 401; 404, also where the key may not ask it; 503.
    """
    key = await admission.admit(headers, query)
    try:
        return await asyncio.to_thread(_one, model if key.asks(model) else "")
    except (ServiceError, UnreadableError) as error:
        raise unavailable(model) from error


def _one(model: str) -> dict[str, Any]:
    name, _, run = model.partition("@")
    loaded = store.find("endpoint", name) if targets.is_name(name) else None
    if loaded is None or not loaded.record.run:
        raise ScoringError(404, "model_not_found", f"there is no model {name!r}", field="model")
    if run and loaded.record.run != targets.run_of(name, run):
        targets.standing(loaded.record, run)
    return completion.model(model, loaded.record.created)
