"""The notebook's body: checked for its form before it reaches the endpoint."""

from __future__ import annotations

from typing import Any

import msgspec

from shared.endpoints.scoring import MAX_BODY, ScoringError


def checked(body: bytes) -> bytes:
    """The body unchanged, where its form is right.

    Raises:
        ScoringError: 413, or 400 that names the field.
    """
    if len(body) > MAX_BODY:
        raise ScoringError(
            413, "request_too_large", f"the body has {len(body):,} bytes, at most {MAX_BODY:,} are taken"
        )
    try:
        request: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ScoringError(400, "invalid_json", f"the body is no JSON: {error}") from error
    data = request.get("input_data") if isinstance(request, dict) else None
    if not isinstance(data, dict):
        raise _bad("input_data", "input_data must be an object")
    rows = data.get("input_string")
    if not isinstance(rows, list) or not rows:
        raise _bad("input_data.input_string", "input_string must be a list of messages, or of conversations")
    if not isinstance(data.get("parameters", {}), dict):
        raise _bad("input_data.parameters", "parameters must be an object")
    if isinstance(rows[0], list):
        for index, conversation in enumerate(rows):
            _check_conversation(conversation, f"input_data.input_string[{index}]")
    else:
        _check_conversation(rows, "input_data.input_string")
    return body


def _check_conversation(rows: Any, place: str) -> None:
    if not isinstance(rows, list) or not rows:
        raise _bad(place, "a conversation must be a list of messages that is not empty")
    for index, row in enumerate(rows):
        if not isinstance(row, dict) or not isinstance(row.get("role"), str) or not isinstance(row.get("content"), str):
            raise _bad(f"{place}[{index}]", "each message needs a role and a content, both texts")


def _bad(field: str, message: str) -> ScoringError:
    return ScoringError(400, "invalid_value", message, field=field)
