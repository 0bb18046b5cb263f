"""OpenAI's chat completions, from a request's bytes to an answer's."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import msgspec

from shared.endpoints import admission, completion, counting, openai, wire
from shared.endpoints import target as targets
from shared.endpoints.patience import answered, in_time, preferred_wait
from shared.endpoints.refusals import ScoringError, too_large
from shared.endpoints.scoring import MAX_BODY, Question
from shared.errors import ServiceError, UnreadableError


class Answered(msgspec.Struct, frozen=True):
    """What goes back: the body, its media type, and headers."""

    body: bytes
    kind: str = "application/json"
    headers: dict[str, str] = {}


async def answer(headers: Mapping[str, str], query: Mapping[str, str], body: bytes) -> Answered:
    """The answer to a request as it came in.

    Raises:
        ScoringError: what to answer instead: 401, 413, 400 that names the field, 403, 429, or as `complete`.
    """
    key = await admission.admit(headers, query)
    if len(body) > MAX_BODY:
        raise too_large(len(body), MAX_BODY)
    chat = openai.parse(body)
    await admission.may_ask(key, chat.model)
    return await complete(chat, preferred_wait(headers.get("prefer", "")))


async def complete(chat: openai.Chat, wait: float | None = None) -> Answered:
    """The answer to a request; a model that sleeps is waited for `wait` seconds at most.

    Raises:
        ScoringError: what to answer instead.
    """
    lengths = await _lengths(chat)
    prompt = lengths.of_chat(chat.messages)
    limit = lengths.room(prompt, chat.limit, openai.MAX_TOKENS)
    found = await in_time(_answers(chat, limit, wait))
    choices, said, counted, known = [], 0, True, True
    for answer in found:
        text, stopped = completion.cut(answer.text, chat.stops)
        tokens = answer.completion_tokens
        if tokens is None:
            tokens, counted = lengths.of_text(text) if text else 0, False
        least = lengths.surely(tokens)
        known = known and (stopped or completion.tells_reason(answer) or (counted and tokens >= limit))
        choices.append((text, completion.finish_reason(answer, text, stopped, limit, least, 2 * tokens - least)))
        said += tokens
    if found[0].prompt_tokens is None:
        counted = False
    else:
        prompt = found[0].prompt_tokens
    whole = completion.completion(chat, choices, completion.Counts(prompt, said, not counted))
    headers = {
        "x-request-id": whole["id"],
        "x-droptune-usage": "counted" if counted else "estimate",
        "x-droptune-finish-reason": "known" if known else "estimate",
    }
    if chat.stream:
        return Answered(completion.event_stream(whole, chat.stream_usage), "text/event-stream", headers)
    return Answered(msgspec.json.encode(whole), headers=headers)


async def _answers(chat: openai.Chat, limit: int, wait: float | None) -> list[wire.Answer]:
    """One answer a choice, asked for one after the other: a deployment answers few at once, and others wait too."""
    asked = 1 if chat.greedy else chat.answers
    found = [await _answer(chat, limit, number, wait) for number in range(asked)]
    return found * (chat.answers // asked)


async def _answer(chat: openai.Chat, limit: int, number: int, wait: float | None) -> wire.Answer:
    parameters = {**chat.parameters, "max_new_tokens": limit}
    extras = dict(chat.extras)
    if "seed" in extras:
        extras["seed"] += number
    plain = wire.body_of(chat.messages, parameters) if extras else b""
    body = wire.body_of(chat.messages, {**parameters, **extras}) if extras else wire.body_of(chat.messages, parameters)
    reply = await answered(Question(chat.name, body, chat.run, plain), wait)
    answer = wire.read(reply)
    if answer is None:
        raise completion.empty()
    return answer


async def _lengths(chat: openai.Chat) -> counting.Lengths:
    """What counts for the model: the base of the run that is asked, or nothing known where it cannot be read."""
    try:
        run = await _run(chat)
        known = counting.known(run)
        return await asyncio.to_thread(counting.lengths, run) if known is None else known
    except (ServiceError, UnreadableError):
        return counting.Lengths("")


async def _run(chat: openai.Chat) -> str:
    if chat.run:
        return targets.run_of(chat.name, chat.run)
    found = await targets.find(chat.name, recent=targets.FRESH_SECONDS)
    if found is None:
        raise ScoringError(404, "model_not_found", f"there is no model {chat.name!r}", field="model")
    return found.record.run
