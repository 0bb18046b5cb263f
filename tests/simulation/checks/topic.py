"""What the topic was told: how each run rests, and each file that was rejected, however often a publish failed."""

from __future__ import annotations

import json
from collections.abc import Iterator

from shared.events import event_type
from shared.runs.records import RUN_RESTS
from tests.simulation.checker import Judge, shows
from tests.simulation.checks.notices import rests_since


class Topic(Judge):
    """The events of the records as they rest at the end."""

    def goes_on(self) -> str:
        """What the topic was not told yet."""
        return next((f"nobody published {kind} of {event}" for kind, event in self._owed()), "")

    @shows(8, 44, 45)
    def end_published(self) -> None:
        """8, 44, 45: how a run rests is published, under an id that a repetition bears too."""
        for kind, event in self._owed():
            self.wrong((44, 45), f"{kind} of {event} was never published")

    def _owed(self) -> Iterator[tuple[str, str]]:
        world = self.simulation.world
        for container, rests in (("runs", RUN_RESTS), ("uploads", ("rejected",))):
            for found in world.blobs.containers.get(container, {}).values():
                record = _decoded(found.data)
                if record.get("state") not in rests:
                    continue
                kind = event_type(record["state"]) if container == "runs" else "Droptune.UploadRejected"
                event = f"{record['id']}@{rests_since(record)}"
                if (kind, event) not in world.topics.ids:
                    yield kind, event


def _decoded(data: bytes) -> dict[str, str]:
    try:
        return dict(json.loads(data))
    except ValueError:
        return {}
