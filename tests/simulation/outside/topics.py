"""The topic in memory."""

from __future__ import annotations

from typing import Any

from tests.simulation.outside.gate import Gate


class FakeTopics:
    """What was published, in order, and the ids of all that."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self.published: list[tuple[float, str, str, dict[str, Any]]] = []
        self.ids: set[tuple[str, str]] = set()

    def publish(self, event_type: str, subject: str, data: dict[str, Any], identity: str = "") -> None:
        """Keeps one event."""

        def effect() -> None:
            self.published.append((self._gate.kernel.now, event_type, subject, data))
            self.ids.add((event_type, identity))

        self._gate.call("event publish", f"{event_type} {subject}", effect)
