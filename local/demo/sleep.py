"""The idle teardown, its bill, and the endpoint that wakes on the next request."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

import requests

from cli import api
from local.demo import screen
from local.demo.base import GREEDY
from local.demo.errors import DemoError
from local.demo.questions import NAME, Question
from local.demo.talk import tuned_answer

PAUSE = 0.3
PATIENCE_SECONDS = 150.0
LONGEST_WINDOW = 60.0


def endpoint() -> dict[str, Any]:
    """Return the endpoint of the demo's model as the function app shows it."""
    found: dict[str, Any] = api.call("GET", "endpoints", NAME)
    return found


def awake() -> None:
    """Wake an endpoint that sleeps from an earlier demo, and wait for it."""
    if endpoint()["state"] != "awake":
        screen.line("its endpoint sleeps since the last demo; waking it:")
        api.call("POST", "endpoints", NAME, "wake")
        _until("awake", len(endpoint()["timeline"]))


def watch_it_fall_asleep() -> None:
    """Do nothing and look on: nobody asks, so the deployment goes, and with it what it costs.

    Raises:
        DemoError: it did not sleep, or bills on.
    """
    before = endpoint()
    window = float(before["idle_after_seconds"])
    if window > LONGEST_WINDOW:
        raise DemoError(
            f"the model {NAME} was made on a box where it may idle for {window:.0f} s, too long to wait for",
            "begin anew with `droptune box reset`, or give the demo a home of its own: DROPTUNE_HOME=… make demo",
        )
    screen.line(f"nobody asks for {window:.0f} s …")
    after = _until("asleep", len(before["timeline"]))
    if after["cost"]["bills_now_usd_an_hour"]:
        raise DemoError("the endpoint sleeps, and yet its deployment is billed", f"droptune endpoints show {NAME}")
    screen.good("the deployment is gone; the endpoint keeps its address and keys, which cost nothing")


def show_cost() -> None:
    """Show what the model cost so far, at Azure's list prices."""
    bill = api.call("GET", "cost")
    screen.line(f"training {bill['training_usd']:.4f} USD · serving {bill['serving_usd']:.4f} USD")
    screen.line(f"saved by sleeping so far {bill['saved_usd']:.4f} USD")
    screen.line(f"bills now {bill['bills_now_usd_an_hour']:.2f} USD an hour   ({bill['basis']})")


def ask_it_awake(question: Question) -> float:
    """Ask the sleeping model: 503 with `model_asleep`, then it wakes and answers; returns the seconds that it took.

    Raises:
        DemoError: anything else happened.
    """
    known, began = len(endpoint()["timeline"]), time.monotonic()
    answer = _first_request(question)
    code = _code(answer)
    if answer.status_code != 503 or code != "model_asleep" or "Retry-After" not in answer.headers:
        raise DemoError(
            f"a sleeping model should answer 503 model_asleep with Retry-After, not {answer.status_code} {code}"
        )
    screen.good(f"503 {code}, Retry-After: {answer.headers['Retry-After']} s; the wake is under way")
    _until("awake", known)
    text = tuned_answer(question)
    seconds = time.monotonic() - began
    screen.line(f"“{question.text}”")
    screen.line(f"“{' '.join(text.split())}”")
    if question.facts_in(text) < len(question.facts):
        raise DemoError(f"the woken model does not know {', '.join(question.facts)}: it said {text!r}")
    return seconds


def _first_request(question: Question) -> requests.Response:
    """As any client would send it: to see the status and the headers themselves."""
    return requests.post(
        f"{os.environ['DROPTUNE_URL']}/api/v1/chat/completions",
        json={"model": NAME, "messages": [{"role": "user", "content": question.text}], **GREEDY},
        headers={"Authorization": f"Bearer {os.environ['DROPTUNE_KEY']}"},
        timeout=(5, 60),
    )


def _code(answer: requests.Response) -> str:
    try:
        return str(answer.json()["error"]["code"])
    except (ValueError, KeyError, TypeError):
        return "without an error code"


def _until(state: str, known: int, look: Callable[[], dict[str, Any]] = endpoint) -> dict[str, Any]:
    """Show what is new in the endpoint's timeline until it is in a state."""
    began = time.monotonic()
    while True:
        found = look()
        for moment in found["timeline"][known:]:
            screen.line(f"{time.monotonic() - began:6.1f} s  ● {moment['state']:<15} {moment.get('detail', '')}")
        known = max(known, len(found["timeline"]))
        if found["state"] == state:
            return found
        if time.monotonic() - began > PATIENCE_SECONDS:
            raise DemoError(
                f"the endpoint was not {state} within {PATIENCE_SECONDS:.0f} s: it is {found['state']}",
                f"droptune endpoints show {NAME}; droptune box logs functions",
            )
        time.sleep(PAUSE)
