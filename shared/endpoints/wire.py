"""What goes over the wire to an endpoint and comes back: bodies, and the answers' several shapes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from shared.azure.outside import outside
from shared.errors import NotReadyError, RejectedError, TransientError

PASSING = (0, 408, 429, 500, 502, 503, 504)
NOT_READY = (401, 403, 404)  # a key that was changed, a deployment that is not reached yet
CONTAINER_GONE = ("502", "503", "504")  # what the model's own server said, where the endpoint says 424


def body_of(messages: list[dict[str, Any]], parameters: dict[str, Any]) -> bytes:
    """The notebook's body for one conversation: nested once, the form that every server of section 3 answers."""
    return msgspec.json.encode({"input_data": {"input_string": [messages], "parameters": parameters}, "params": {}})


def text_of(answer: Any) -> str | None:
    """The text in an endpoint's answer, or None where there is none (an empty object is a failure).

    >>> text_of([{"0": "hello"}]), text_of({"output": "hello"}), text_of(["hello"]), text_of({})
    ('hello', 'hello', 'hello', None)
    """
    if isinstance(answer, str):
        return answer
    if isinstance(answer, list):
        return text_of(answer[0]) if answer else None
    if isinstance(answer, dict):
        if isinstance(answer.get("message"), dict):
            return text_of(answer["message"].get("content"))
        for key in ("output", "0", "prediction", "content", "choices"):
            if key in answer:
                return text_of(answer[key])
    return None


class Answer(msgspec.Struct, frozen=True):
    """What an endpoint's answer holds: the text, and what some servers tell besides (empty, None: not told)."""

    text: str
    finish_reason: str = ""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


def read(body: bytes) -> Answer | None:
    """The answer in an endpoint's 200, or None where it holds no text.

    >>> read(b'{"output": "hi", "finish_reason": "length", "usage": {"prompt_tokens": 3, "completion_tokens": 1}}')
    Answer(text='hi', finish_reason='length', prompt_tokens=3, completion_tokens=1)
    """
    try:
        given = msgspec.json.decode(body)
        text = text_of(given)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if text is None:
        return None
    said = given if isinstance(given, dict) else {}
    told = said["choices"][0] if "choices" in said else said
    usage: Any = said.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    return Answer(text, str(told.get("finish_reason") or ""), *(_count(usage.get(f"{one}_tokens")) for one in _SIDES))


_SIDES = ("prompt", "completion")


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def probe(uri: str, key: str, deployment: str, body: bytes) -> str:
    """Asks one deployment, past the traffic rules, and returns its text.

    Raises:
        RejectedError: it answered without a text, or refused.
        NotReadyError: it does not know us yet, its container starts again, or something before it answers.
        TransientError: it could not be reached, or is busy.
    """
    reply = outside().inference.probe(uri, key, deployment, body)
    if reply.status in PASSING:
        raise TransientError(f"the deployment {deployment} cannot be reached now: HTTP {reply.status}")
    if reply.status in NOT_READY or model_status(reply.headers) in CONTAINER_GONE:
        told = f"the deployment {deployment} is not ready: HTTP {reply.status} {model_status(reply.headers)}".strip()
        raise NotReadyError(told, "look at the deployment's log", reply.status)
    try:
        text = text_of(msgspec.json.decode(reply.body)) if reply.status == 200 else None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise NotReadyError(
            f"the deployment {deployment} answers no JSON", "look at the deployment's log", 200
        ) from None
    if text is None:
        raise RejectedError(
            f"the deployment {deployment} does not answer a test row: HTTP {reply.status}",
            "look at the deployment's log",
            reply.status,
        )
    return text


def model_status(headers: Mapping[str, str]) -> str:
    """What the model's own server answered, where an endpoint answers 424; empty where that is not told."""
    return header(headers, "ms-azureml-model-error-statuscode")


def header(headers: Mapping[str, str], wanted: str) -> str:
    """A header by its name in lower case; empty where there is none."""
    return next((value for name, value in headers.items() if name.lower() == wanted), "")
