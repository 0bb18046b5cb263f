"""What goes over the wire to an endpoint and comes back: bodies, and the answers' several shapes.

`online_endpoints.invoke` keeps headers of one call for the next and has no time-out, so we use clients of our own
(source: AZUREML_CONTRACT section 0, no. 12).
"""

from __future__ import annotations

from typing import Any

import msgspec

from shared.errors import RejectedError, TransientError

PROBE_SECONDS = 60.0


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


def post_once(uri: str, key: str, deployment: str, body: bytes) -> str:
    """Asks one deployment, past the traffic rules, and returns its text.

    Raises:
        RejectedError: it answered without a text, or refused.
        TransientError: it could not be reached.
    """
    import requests

    headers = {
        "Authorization": f"Bearer {key}",
        "Content-Type": "application/json",
        "azureml-model-deployment": deployment,
    }
    try:
        answer = requests.post(uri, data=body, headers=headers, timeout=(5, PROBE_SECONDS))
    except requests.RequestException as error:
        raise TransientError(f"the deployment {deployment} cannot be reached: {type(error).__name__}") from error
    text = _decoded(answer.content) if answer.status_code == 200 else None
    if text is None:
        raise RejectedError(
            f"the deployment {deployment} does not answer a test row: HTTP {answer.status_code}",
            "look at the deployment's log",
            answer.status_code,
        )
    return text


def _decoded(content: bytes) -> str | None:
    try:
        return text_of(msgspec.json.decode(content))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
