"""The notebook's body: checked for its form before it reaches the endpoint, its answer for not being empty."""

from __future__ import annotations

from typing import Any

import msgspec

from shared.endpoints.completion import empty
from shared.endpoints.patience import answered, in_time
from shared.endpoints.refusals import ScoringError, bad, too_large
from shared.endpoints.scoring import MAX_BODY, Question
from shared.endpoints.wire import text_of


def checked(body: bytes) -> bytes:
    """The body unchanged, where its form is right.

    Raises:
        ScoringError: 413, or 400 that names the field.
    """
    if len(body) > MAX_BODY:
        raise too_large(len(body), MAX_BODY)
    try:
        request: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ScoringError(400, "invalid_json", f"the body is no JSON: {error}") from error
    data = request.get("input_data") if isinstance(request, dict) else None
    if not isinstance(data, dict):
        raise bad("input_data", "input_data must be an object")
    rows = data.get("input_string")
    if not isinstance(rows, list) or not rows:
        raise bad("input_data.input_string", "input_string must be a list of messages, or of conversations")
    if not isinstance(data.get("parameters", {}), dict):
        raise bad("input_data.parameters", "parameters must be an object")
    if isinstance(rows[0], list):
        for index, conversation in enumerate(rows):
            _check_conversation(conversation, f"input_data.input_string[{index}]")
    else:
        _check_conversation(rows, "input_data.input_string")
    return body


async def score(model: str, body: bytes, wait: float | None = None) -> bytes:
    """The answer of a model (`NAME` or `NAME@RUN`) to the notebook's body, unchanged.

    Raises:
        ScoringError: what to answer instead; 502 for a 200 without a text.
    """
    name, _, run = model.partition("@")
    answer = await in_time(answered(Question(name, checked(body), run), wait))
    if not _is_answer(answer):
        raise empty()
    return answer


def _is_answer(answer: bytes) -> bool:
    """Whether there is a text for each conversation."""
    try:
        given = msgspec.json.decode(answer)
        return all(text_of(one) is not None for one in (given if isinstance(given, list) and given else [given]))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False


def _check_conversation(rows: Any, place: str) -> None:
    if not isinstance(rows, list) or not rows:
        raise bad(place, "a conversation must be a list of messages that is not empty")
    for index, row in enumerate(rows):
        if not isinstance(row, dict) or not isinstance(row.get("role"), str) or not isinstance(row.get("content"), str):
            raise bad(f"{place}[{index}]", "each message needs a role and a content, both texts")
