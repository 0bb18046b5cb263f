"""The storage queue in memory: visibility, dequeue counts, receipts."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from tests.simulation.outside.gate import Gate


@dataclass(eq=False)
class Message:
    """A message; who received it last holds the `receipt` by which it can be deleted."""

    number: int
    body: str
    visible_at: float
    deliveries: int = 0
    receipt: int = 0


class FakeQueue:
    """The work queue and its poison queue."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self.messages: dict[int, Message] = {}
        self.poison: dict[int, Message] = {}
        self.sent = 0
        self.heard: Callable[[float], None] = lambda when: None

    def send(self, body: str, delay: float) -> None:
        """Puts a message that is seen later; delays are whole seconds."""
        self._gate.call("queue send", f"{body} in {delay:.1f} s", lambda: self.put(body, delay))

    def put(self, body: str, delay: float = 0.0) -> None:
        """Puts a message at once."""
        self.sent += 1
        when = self._gate.kernel.now + (math.ceil(delay) if delay > 0 else 0)
        self.messages[self.sent] = Message(self.sent, body, when)
        self.heard(when)

    def receive(self, most: int, visibility: float) -> list[Message]:
        """Takes what is visible; it is seen again after `visibility` seconds."""
        now = self._gate.kernel.now
        found = [message for message in self.messages.values() if message.visible_at <= now][:most]
        for message in found:
            message.deliveries += 1
            message.receipt += 1
            message.visible_at = now + visibility
            self.heard(message.visible_at)
        return found

    def delete(self, message: Message, receipt: int) -> None:
        """Deletes what nobody else received meanwhile."""
        if message.receipt == receipt:
            self.messages.pop(message.number, None)

    def back(self, message: Message, receipt: int, delay: float) -> None:
        """Makes a message visible again."""
        if message.receipt == receipt and message.number in self.messages:
            message.visible_at = self._gate.kernel.now + delay
            self.heard(message.visible_at)

    def put_aside(self, message: Message) -> None:
        """Moves a message to the poison queue."""
        if self.messages.pop(message.number, None):
            self.poison[message.number] = message
