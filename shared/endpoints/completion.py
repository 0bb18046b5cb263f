"""OpenAI's answers from an endpoint's: a chat completion, its event stream, the list of models. No I/O.

Answers are buffered: MLflow deployments don't stream, so `stream: true` gets a well-formed event stream in one piece
(docs/adr/0004-buffered-answers.md).
"""

from __future__ import annotations

import os
import time
from typing import Any

import msgspec

from shared.endpoints.openai import Chat
from shared.endpoints.refusals import ScoringError
from shared.endpoints.wire import Answer

FINISHED = ("stop", "length", "content_filter")
_ENDS = tuple(".!?…。！？।؟\"'”’)]}`*")


class Counts(msgspec.Struct, frozen=True):
    """Tokens of a request and of its answers; `estimated` where the deployment did not count them."""

    prompt: int
    completion: int
    estimated: bool

    def usage(self) -> dict[str, int]:
        """As OpenAI writes them."""
        whole = self.prompt + self.completion
        return {"prompt_tokens": self.prompt, "completion_tokens": self.completion, "total_tokens": whole}


def cut(text: str, stops: list[str]) -> tuple[str, bool]:
    """The text before the first of the stops, and whether there was one: servers that know no `stop` write past it.

    >>> cut("one. two. three", [" two", "three"])
    ('one.', True)
    """
    ends = [place for stop in stops if (place := text.find(stop)) >= 0]
    return (text[: min(ends)], True) if ends else (text, False)


def tells_reason(answer: Answer) -> bool:
    """Whether the deployment said why it ended."""
    return answer.finish_reason in FINISHED


def finish_reason(answer: Answer, text: str, stopped: bool, limit: int, least: int, most: int) -> str:
    """Why an answer ended: as the deployment says, else as its length shows.

    Its tokens are between `least` and `most`. One that may have reached the limit and ends in the middle of a sentence was
    cut there.
    """
    if stopped:
        return "stop"
    if tells_reason(answer):
        return answer.finish_reason
    return "length" if least >= limit or (most >= limit and not text.rstrip().endswith(_ENDS)) else "stop"


def completion(chat: Chat, choices: list[tuple[str, str]], counts: Counts) -> dict[str, Any]:
    """OpenAI's chat completion of texts with their finish reasons."""
    return {
        "id": f"chatcmpl-{os.urandom(16).hex()}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": chat.model,
        "choices": [
            {
                "index": index,
                "message": {"role": "assistant", "content": text, "refusal": None},
                "finish_reason": reason,
                "logprobs": None,
            }
            for index, (text, reason) in enumerate(choices)
        ],
        "usage": counts.usage(),
    }


def event_stream(whole: dict[str, Any], with_usage: bool) -> bytes:
    """The same answer as the event stream that OpenAI's clients read."""
    head = {"id": whole["id"], "object": "chat.completion.chunk", "created": whole["created"], "model": whole["model"]}
    if with_usage:
        head["usage"] = None
    chunks: list[dict[str, Any]] = []
    for choice in whole["choices"]:
        said = {"role": "assistant", "content": choice["message"]["content"]}
        for delta, reason in ((said, None), ({}, choice["finish_reason"])):
            one = {"index": choice["index"], "delta": delta, "finish_reason": reason, "logprobs": None}
            chunks.append({**head, "choices": [one]})
    if with_usage:
        chunks.append({**head, "choices": [], "usage": whole["usage"]})
    lines = [b"data: " + msgspec.json.encode(chunk) + b"\n\n" for chunk in chunks]
    return b"".join([*lines, b"data: [DONE]\n\n"])


def model(name: str, created: str) -> dict[str, Any]:
    """A model: its name and the moment (ISO 8601) that it came."""
    from shared.runs.records import moment

    since = int(moment(created).timestamp()) if created else 0
    return {"id": name, "object": "model", "created": since, "owned_by": "droptune"}


def models(names: list[tuple[str, str]]) -> dict[str, Any]:
    """The list of models."""
    return {"object": "list", "data": [model(name, created) for name, created in names]}


def empty() -> ScoringError:
    """502: a 200 without a text (vLLM's servers swallow their errors so)."""
    return ScoringError(502, "empty_answer", "the model answered without a text", headers={"Retry-After": "1"})
