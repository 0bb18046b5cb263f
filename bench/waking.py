"""From a request to a sleeping model to its answer: a tuned SmolLM2-135M, as a client meets it."""

from __future__ import annotations

import os
import time
from typing import Any

import requests

from bench.row import Row, middle
from bench.runs import drop, live
from cli import api

NAME = "bench-waking"
CONFIG = b'base_model = "SmolLM2-135M-Instruct"\n[parameters]\nnum_train_epochs = 1\n'
ROUNDS = 3
WITHIN_SECONDS = 120


def measure() -> Row:
    """Train once, then put to sleep and ask; the request waits for its answer (`Prefer: wait`)."""
    drop(NAME, CONFIG)
    live(NAME)
    times = [_woken() for _ in range(ROUNDS)]
    return middle("asleep → first answer", 10, "s", times, "SmolLM2-135M, a request with Prefer: wait")


def _woken() -> float:
    api.call("POST", "endpoints", NAME, "sleep")
    _until_asleep()
    body = {"model": NAME, "messages": [{"role": "user", "content": "What is number 3?"}], "max_tokens": 8}
    headers = {"Authorization": f"Bearer {os.environ['DROPTUNE_KEY']}", "Prefer": f"wait={WITHIN_SECONDS}"}
    url = f"{os.environ['DROPTUNE_URL']}/api/v1/chat/completions"
    began = time.perf_counter()
    requests.post(url, json=body, headers=headers, timeout=WITHIN_SECONDS + 10).raise_for_status()
    return time.perf_counter() - began


def _until_asleep() -> None:
    ends = time.monotonic() + WITHIN_SECONDS
    while time.monotonic() < ends:
        endpoint: dict[str, Any] = api.call("GET", "endpoints", NAME)
        if endpoint["state"] == "asleep":
            return
        time.sleep(0.2)
    raise TimeoutError(f"{NAME} did not fall asleep within {WITHIN_SECONDS} s")
