"""Webhooks in memory: each answers, or does not, as its host's name says."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from shared.azure.seen import Reply
from shared.webhook import Webhook
from tests.simulation.outside.gate import Gate

# What a host does: `late` is down until the faults stop, `limited` first says when to come again.
MODES = ("up", "up", "down", "slow", "flaky", "late", "limited", "moved")
ANSWERS = ("up", "flaky", "late", "limited")
SLOW_SECONDS = 10.0
SECRET = "webhook-secret-7c1f"


def address(mode: str, folder: str) -> str:
    """A folder's webhook of a kind."""
    return f"https://{mode}-{folder}.hooks.example/services/{SECRET}"


@dataclass(frozen=True)
class Post:
    """A request that arrived, and the status that it was answered with; 0: none."""

    at: float
    place: str
    id: str
    document: dict[str, Any]
    status: int


class FakeWebhooks:
    """All of them."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self.posts: list[Post] = []
        self.heard: list[Callable[[Post], None]] = []
        self.answered: set[tuple[str, str]] = set()  # host and id: what was taken, or looked like it
        self.tried: Counter[str] = Counter()
        self.mended = False

    def post(self, place: Webhook, body: bytes, headers: dict[str, str], *, private: bool) -> Reply:
        """Answers as the host does; a slow one takes its time and answers nobody."""
        mode, kernel = place.host.partition("-")[0], self._gate.kernel
        self.tried[headers["webhook-id"]] += 1
        reply: Reply = self._gate.call("webhook post", place.place, lambda: self._arrived(mode, place, body, headers))
        if reply.status == 200:
            self.answered.add((place.host, headers["webhook-id"]))
        if mode == "slow" and kernel.current is not None:
            kernel.pause(SLOW_SECONDS)
            kernel.current.refuse_if_dead()
        return reply

    def _arrived(self, mode: str, place: Webhook, body: bytes, headers: dict[str, str]) -> Reply:
        reply = self._answer(mode, headers["webhook-id"])
        post = Post(self._gate.kernel.now, place.host, headers["webhook-id"], json.loads(body), reply.status)
        self.posts.append(post)
        if reply.status == 200:
            self.answered.add((post.place, post.id))
        for hear in self.heard:
            hear(post)
        return reply

    def _answer(self, mode: str, event: str) -> Reply:
        if mode == "down" or (mode == "late" and not self.mended):
            return Reply(0)
        if mode == "slow":
            return Reply(408)
        if mode == "moved":
            return Reply(302, {"location": "https://elsewhere.example/"})
        if mode == "flaky" and self._gate.kernel.random.random() < 0.5:
            return Reply(503)
        if mode == "limited" and not any(post.id == event for post in self.posts):
            return Reply(429, {"retry-after": "45"})
        return Reply(200)
