"""Event subscriptions: who wants which events (HOME/eventgrid/subscriptions.json)."""

from pathlib import Path
from typing import Any

import msgspec

Event = dict[str, Any]


class Subscription(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One subscription of a topic; `ttl` in seconds."""

    name: str
    topic: str
    endpoint: str
    included_event_types: tuple[str, ...] = ()
    subject_begins_with: str = ""
    subject_ends_with: str = ""
    max_attempts: int = 30
    ttl: float = 86400.0

    def wants(self, topic: str, event_type: str, subject: str) -> bool:
        """Apply the filters; subjects are compared regardless of case, as Event Grid does by default."""
        subject = subject.lower()
        return (
            topic == self.topic
            and (not self.included_event_types or event_type in self.included_event_types)
            and subject.startswith(self.subject_begins_with.lower())
            and subject.endswith(self.subject_ends_with.lower())
        )


def read(path: Path) -> list[Subscription]:
    """Read the file; none where it is missing. A damaged one raises msgspec's error, which names the field."""
    return msgspec.json.decode(path.read_bytes(), type=list[Subscription]) if path.is_file() else []


def write(path: Path, subscriptions: list[Subscription]) -> None:
    """Write the file for its owner only: endpoints carry the function app's key."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".new")
    temporary.touch(mode=0o600)
    temporary.write_bytes(msgspec.json.format(msgspec.json.encode(subscriptions), indent=2))
    temporary.replace(path)


def kind_and_subject(event: Event) -> tuple[str, str]:
    """Return type and subject of an event of either schema."""
    return str(event.get("eventType") or event.get("type") or ""), str(event.get("subject") or "")
