"""llama.cpp in this process, through PyPI's xllamacpp (settings and traps: BOX_FACTS.md section 6)."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any

import xllamacpp

from .requests import Generation, Messages

CONTEXT = 3072  # tokens of one conversation with its answer; each slot has memory for that many


class LlamaCppEngine:
    """Answers with a GGUF model; thread-safe, several conversations at once."""

    def __init__(self, weights: Path, at_once: int) -> None:
        try:
            self._server = xllamacpp.Server(settings_of(weights, at_once))
        except RuntimeError:  # heads of fewer than 32 values, as a model for tests has, cannot be kept in 8 bits
            self._server = xllamacpp.Server(settings_of(weights, at_once, small=False))

    def answer(self, messages: Messages, generation: Generation) -> str:
        """Return the assistant's words; a conversation that does not fit raises ValueError."""
        answer = self._server.handle_chat_completions(_request(messages, generation))
        if "error" in answer:
            raise ValueError(f"llama.cpp refuses the request: {answer['error'].get('message', 'no reason given')}")
        return str(answer["choices"][0]["message"]["content"] or "")


def settings_of(weights: Path, at_once: int, *, small: bool = True) -> Any:
    """Return how llama.cpp serves these weights, so many conversations at once; `small`: remembered in 8 bits."""
    settings = xllamacpp.CommonParams()
    settings.model.path = str(weights)
    # With one memory for all slots (kv_unified) greedy answers differed when requests ran in parallel: 3 of 8 were equal.
    settings.n_parallel, settings.n_ctx, settings.kv_unified = at_once, CONTEXT * at_once, False
    if small:  # half the memory; parallel answers stay equal to those given alone
        settings.cache_type_k = settings.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_Q8_0
    settings.cpuparams.n_threads = settings.cpuparams_batch.n_threads = min(len(os.sched_getaffinity(0)), 8)
    settings.warmup, settings.use_jinja, settings.ui = False, True, False
    settings.verbosity = 1  # errors only: no word of a conversation gets into a log
    settings.cache_ram_mib = 0  # else prompts pile up to 8 GB
    # The library always listens; on a free port of this machine only, with a key that nobody knows.
    settings.hostnames, settings.port, settings.api_keys = ["127.0.0.1"], 0, [secrets.token_urlsafe(32)]
    return settings


def _request(messages: Messages, generation: Generation) -> dict[str, Any]:
    request: dict[str, Any] = {
        "messages": messages,
        "max_tokens": generation.max_tokens,
        "temperature": generation.temperature,
        "top_p": generation.top_p,
        "top_k": generation.top_k,
        "min_p": 0.0,
        "repeat_penalty": generation.repetition_penalty,
        "stop": list(generation.stop),
        "cache_prompt": False,  # the same question gives the same answer, whatever was asked before
    }
    if generation.seed is not None:
        request["seed"] = generation.seed
    return request
