"""OpenAI's chat requests over our endpoints: what is taken, what is sent on, what is refused by name. No I/O.

What changes nothing in an answer is let through; what would change it and cannot be honoured is refused, and so is what
neither OpenAI nor we know: a misspelt limit must not cost money (reference: OpenAI's "Create chat completion", and
openai-python 2.x `types/chat/completion_create_params.py`).
"""

from __future__ import annotations

import difflib
from typing import Any

import msgspec

from shared.endpoints.refusals import ScoringError, bad
from shared.endpoints.turns import messages_of

MAX_TOKENS = 512
MOST_ANSWERS = 8
MOST_STOPS = 4
WITHOUT_EFFECT = frozenset(
    {
        "metadata",
        "parallel_tool_calls",
        "prediction",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "safety_identifier",
        "service_tier",
        "store",
        "user",
    }
)
# What we cannot honour, with the values that ask for nothing.
_UNHEARD: dict[str, tuple[Any, ...]] = {
    "audio": (),
    "frequency_penalty": (0,),
    "function_call": ("none", "auto"),
    "functions": ([],),
    "logit_bias": ({},),
    "logprobs": (False,),
    "modalities": (["text"],),
    "moderation": (),
    "presence_penalty": (0,),
    "reasoning_effort": ("none",),
    "response_format": ({"type": "text"},),
    "tool_choice": ("none", "auto"),
    "tools": ([],),
    "top_logprobs": (0,),
    "verbosity": ("medium",),
    "web_search_options": (),
}
_HEARD = frozenset(
    {
        "model",
        "messages",
        "temperature",
        "top_p",
        "max_tokens",
        "max_completion_tokens",
        "stop",
        "seed",
        "n",
        "stream",
        "stream_options",
        "top_k",
        "repetition_penalty",
    }
)


class Chat(msgspec.Struct, frozen=True):
    """A request that can be honoured.

    `parameters` are the endpoint's, without the answer's limit; `limit` is None where the caller set none. `extras` (seed,
    stop) are not known to every server: they are sent where they are understood.
    """

    model: str
    messages: list[dict[str, str]]
    parameters: dict[str, Any]
    extras: dict[str, Any]
    limit: int | None
    stops: list[str]
    answers: int
    stream: bool
    stream_usage: bool

    @property
    def name(self) -> str:
        """The dataset's name."""
        return self.model.partition("@")[0]

    @property
    def run(self) -> str:
        """The run that the model is pinned to (`NAME@RUN`), or an empty text."""
        return self.model.partition("@")[2]

    @property
    def greedy(self) -> bool:
        """Whether the same question has one answer."""
        return not self.parameters["do_sample"]


def parse(body: bytes) -> Chat:
    """The request in a body.

    Raises:
        ScoringError: 400 that names the field: not valid, or nothing that we can honour.
    """
    request = _decoded(body)
    _refuse(request)
    temperature = _number(request, "temperature", 0, 2, 1.0)
    stops = _stops(request.get("stop"))
    extras: dict[str, Any] = {"stop": stops} if stops else {}
    if request.get("seed") is not None:
        extras["seed"] = _whole(request, "seed", -(2**63), 2**63 - 1)
    return Chat(
        _model(request),
        messages_of(request.get("messages")),
        {
            "temperature": temperature,
            "top_p": _number(request, "top_p", 0, 1, 1.0),
            "do_sample": temperature > 0,
            **_more(request),
        },
        extras,
        _limit(request),
        stops,
        _whole(request, "n", 1, MOST_ANSWERS, 1),
        _flag(request, "stream"),
        _stream_usage(request),
    )


def _decoded(body: bytes) -> dict[str, Any]:
    try:
        request = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ScoringError(400, "invalid_json", f"the body is no JSON: {error}") from error
    if not isinstance(request, dict):
        raise ScoringError(400, "invalid_json", "the body is no JSON object")
    return request


def _refuse(request: dict[str, Any]) -> None:
    for name, value in request.items():
        if name in _HEARD or name in WITHOUT_EFFECT:
            continue
        if name not in _UNHEARD:
            near = difflib.get_close_matches(name, [*_HEARD, *_UNHEARD, *WITHOUT_EFFECT], 1)
            hint = f", did you mean {near[0]!r}?" if near else ""
            raise bad(name, f"unknown parameter {name!r}{hint}", "unknown_parameter")
        if value is not None and value not in _UNHEARD[name]:
            raise bad(name, f"{name!r} is not supported: leave it out", "unsupported_parameter")


def _model(request: dict[str, Any]) -> str:
    model = request.get("model")
    if not isinstance(model, str) or not model:
        raise bad("model", "name the model: the dataset's name, or NAME@RUN for one version")
    return model


def _limit(request: dict[str, Any]) -> int | None:
    for name in ("max_completion_tokens", "max_tokens"):
        if request.get(name) is not None:
            return _whole(request, name, 1, 2**31 - 1)
    return None


def _more(request: dict[str, Any]) -> dict[str, Any]:
    """What vLLM's OpenAI server takes besides OpenAI's own parameters."""
    more: dict[str, Any] = {}
    if request.get("top_k") is not None:
        more["top_k"] = _whole(request, "top_k", 0, 1_000_000)
    if request.get("repetition_penalty") is not None:
        more["repetition_penalty"] = _number(request, "repetition_penalty", 0.1, 10, 1.0)
    return more


def _stops(stop: Any) -> list[str]:
    stops = [stop] if isinstance(stop, str) else [] if stop is None else stop
    if not isinstance(stops, list) or not all(isinstance(one, str) and one for one in stops):
        raise bad("stop", "stop must be a text or a list of texts, none of them empty")
    if len(stops) > MOST_STOPS:
        raise bad("stop", f"stop may have {MOST_STOPS} texts at most")
    return stops


def _stream_usage(request: dict[str, Any]) -> bool:
    options = request.get("stream_options")
    if options is None:
        return False
    if not isinstance(options, dict) or not request.get("stream"):
        raise bad("stream_options", "stream_options is an object that goes with stream: true")
    return _flag(options, "include_usage", "stream_options.include_usage")


def _flag(request: dict[str, Any], name: str, field: str = "") -> bool:
    value = request.get(name)
    if value is not None and not isinstance(value, bool):
        raise bad(field or name, f"{field or name} must be true or false")
    return bool(value)


def _whole(request: dict[str, Any], name: str, low: int, high: int, default: int = 0) -> int:
    value = request.get(name)
    if value is None:
        return default
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise bad(name, f"{name} must be a whole number from {low} to {high}")
    return value


def _number(request: dict[str, Any], name: str, low: float, high: float, default: float) -> float:
    value = request.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise bad(name, f"{name} must be a number from {low:g} to {high:g}")
    return float(value)
