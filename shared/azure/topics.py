"""Publishing to an Event Grid topic."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from shared.azure.credential import credential
from shared.azure.failures import azure_errors
from shared.azure.outside import outside
from shared.settings import settings

if TYPE_CHECKING:
    from azure.eventgrid import EventGridPublisherClient


@lru_cache(maxsize=1)
def _publisher() -> EventGridPublisherClient:
    from azure.eventgrid import EventGridPublisherClient

    return EventGridPublisherClient(
        settings().events_endpoint, credential(), connection_timeout=5, read_timeout=10, retry_total=2
    )


class AzureTopics:
    """The topic of the settings."""

    def publish(self, event_type: str, subject: str, data: dict[str, Any], identity: str = "") -> None:
        """Sends one event, under an id of its own where none is given; does nothing where no topic is configured."""
        if not settings().events_endpoint:
            return
        from azure.eventgrid import EventGridEvent

        with azure_errors("publish an event"):
            named = {"id": identity} if identity else {}
            _publisher().send(EventGridEvent(subject, event_type, data, "1", **named))


def publish(event_type: str, subject: str, data: dict[str, Any], identity: str = "") -> None:
    """Sends one event, where a topic is configured; who gets the same `identity` twice was told the same.

    Raises:
        ServiceError: the topic refused it or cannot be reached.
    """
    outside().topics.publish(event_type, subject, data, identity)
