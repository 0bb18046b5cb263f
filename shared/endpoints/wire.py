"""What goes over the wire to an endpoint and comes back: bodies, and the answers' several shapes."""

from __future__ import annotations

from typing import Any

import msgspec

from shared.azure.outside import outside
from shared.errors import RejectedError, TransientError

PASSING = (0, 408, 429, 500, 502, 503, 504)


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
        for key in ("output", "0", "prediction", "content"):
            if key in answer:
                return text_of(answer[key])
    return None


def probe(uri: str, key: str, deployment: str, body: bytes) -> str:
    """Asks one deployment, past the traffic rules, and returns its text.

    Raises:
        RejectedError: it answered without a text, or refused.
        TransientError: it could not be reached, or is busy.
    """
    reply = outside().inference.probe(uri, key, deployment, body)
    if reply.status in PASSING:
        raise TransientError(f"the deployment {deployment} cannot be reached now: HTTP {reply.status}")
    text = _decoded(reply.body) if reply.status == 200 else None
    if text is None:
        raise RejectedError(
            f"the deployment {deployment} does not answer a test row: HTTP {reply.status}",
            "look at the deployment's log",
            reply.status,
        )
    return text


def _decoded(content: bytes) -> str | None:
    try:
        return text_of(msgspec.json.decode(content))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
