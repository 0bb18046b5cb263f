"""OpenAI's chat contract over our endpoints: requests in, answers out. No I/O.

Answers are buffered: MLflow deployments don't stream, so `stream: true` gets a well-formed event stream in one piece
(docs/adr/0004-buffered-answers.md).
"""

from __future__ import annotations

import time
import uuid
from typing import Any

import msgspec

from shared.endpoints.scoring import ScoringError
from shared.endpoints.wire import body_of, text_of

ROLES = ("system", "developer", "user", "assistant", "tool")
MAX_TOKENS = 512
_REFUSED = ("tools", "tool_choice", "functions", "function_call", "logprobs", "top_logprobs", "audio", "modalities")
_ZERO = ("presence_penalty", "frequency_penalty")


def parse(body: bytes) -> dict[str, Any]:
    """The request in a body.

    Raises:
        ScoringError: 400 that names the field.
    """
    try:
        request = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ScoringError(400, "invalid_json", f"the body is no JSON: {error}") from error
    if not isinstance(request, dict):
        raise ScoringError(400, "invalid_json", "the body is no JSON object")
    if not isinstance(request.get("model"), str) or not request["model"]:
        raise _bad("model", "name the model: the dataset's name")
    return request


def to_endpoint(request: dict[str, Any]) -> bytes:
    """The endpoint's body for a chat request.

    Raises:
        ScoringError: 400 that names the field: not valid, or nothing that we can honour.
    """
    for name in _REFUSED:
        if request.get(name):
            raise _bad(name, f"{name!r} is not supported")
    for name in _ZERO:
        if request.get(name):
            raise _bad(name, f"{name!r} other than 0 is not supported")
    if request.get("n") not in (None, 1):
        raise _bad("n", "one answer a request: n must be 1")
    wanted = request.get("response_format") or {}
    if not isinstance(wanted, dict) or wanted.get("type", "text") != "text":
        raise _bad("response_format", "only text is answered")
    return body_of(_messages(request.get("messages")), _parameters(request))


def _messages(messages: Any) -> list[dict[str, str]]:
    if not isinstance(messages, list) or not messages:
        raise _bad("messages", "messages must be a list that is not empty")
    result = []
    for index, message in enumerate(messages):
        place = f"messages[{index}]"
        if not isinstance(message, dict) or message.get("role") not in ROLES:
            raise _bad(f"{place}.role", f"role must be one of {', '.join(ROLES)}")
        role = "system" if message["role"] == "developer" else message["role"]
        result.append({"role": role, "content": _text(message.get("content"), f"{place}.content")})
    if result[-1]["role"] != "user":
        raise _bad(f"messages[{len(result) - 1}].role", "the last message must be the user's")
    return result


def _text(content: Any, place: str) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, list) and all(isinstance(p, dict) and p.get("type") == "text" for p in content):
        return "".join(str(part.get("text", "")) for part in content)
    raise _bad(place, "content must be text")


def _parameters(request: dict[str, Any]) -> dict[str, Any]:
    temperature = _number(request, "temperature", 0, 2, 1.0)
    limits = [request.get("max_completion_tokens"), request.get("max_tokens"), MAX_TOKENS]
    limit = next(limit for limit in limits if limit is not None)
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
        raise _bad("max_tokens", "max_tokens must be a whole number of 1 or more")
    parameters: dict[str, Any] = {
        "temperature": temperature,
        "top_p": _number(request, "top_p", 0, 1, 1.0),
        "do_sample": temperature > 0,
        "max_new_tokens": limit,
    }
    stop = request.get("stop")
    if stop is not None:
        stops = [stop] if isinstance(stop, str) else stop
        if not isinstance(stops, list) or not all(isinstance(one, str) for one in stops):
            raise _bad("stop", "stop must be a text or a list of texts")
        parameters["stop"] = stops
    if request.get("seed") is not None:
        parameters["seed"] = int(_number(request, "seed", -(2**63), 2**63, 0))
    return parameters


def _number(request: dict[str, Any], name: str, low: float, high: float, default: float) -> float:
    value = request.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise _bad(name, f"{name} must be a number from {low:g} to {high:g}")
    return float(value)


def answer(request: dict[str, Any], endpoint_answer: bytes) -> dict[str, Any]:
    """OpenAI's chat completion for an endpoint's answer. Token counts are estimates of four characters each.

    Raises:
        ScoringError: 502, the model answered without a text.
    """
    try:
        text = text_of(msgspec.json.decode(endpoint_answer))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        text = None
    if text is None:
        raise ScoringError(502, "empty_answer", "the model answered without a text")
    asked = sum(len(str(message.get("content") or "")) for message in request["messages"])
    prompt, completion = -(-asked // 4), -(-len(text) // 4)
    return {
        "id": f"chatcmpl-{uuid.uuid4().hex}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": request["model"],
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop", "logprobs": None}
        ],
        "usage": {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion},
    }


def event_stream(whole: dict[str, Any], with_usage: bool) -> bytes:
    """The same answer as the event stream that OpenAI's clients read."""
    head = {"id": whole["id"], "object": "chat.completion.chunk", "created": whole["created"], "model": whole["model"]}
    choice = whole["choices"][0]
    chunks: list[dict[str, Any]] = [
        {**head, "choices": [{"index": 0, "delta": choice["message"], "finish_reason": None}]},
        {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]}]},
    ]
    if with_usage:
        chunks.append({**head, "choices": [], "usage": whole["usage"]})
    lines = [b"data: " + msgspec.json.encode(chunk) + b"\n\n" for chunk in chunks]
    return b"".join([*lines, b"data: [DONE]\n\n"])


def models(names: list[tuple[str, str]]) -> dict[str, Any]:
    """The list of models: names with the moment (ISO 8601) that they came."""
    from shared.runs.records import moment

    rows = [
        {
            "id": name,
            "object": "model",
            "created": int(moment(created).timestamp()) if created else 0,
            "owned_by": "droptune",
        }
        for name, created in names
    ]
    return {"object": "list", "data": rows}


def _bad(field: str, message: str) -> ScoringError:
    return ScoringError(400, "invalid_value", message, field=field)
