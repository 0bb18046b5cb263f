"""The storage queue that carries the work."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from shared.azure.credential import credential
from shared.azure.failures import azure_errors
from shared.azure.outside import outside
from shared.settings import settings

if TYPE_CHECKING:
    from azure.storage.queue import QueueClient

MAX_DELAY = 7 * 86400 - 60


@lru_cache(maxsize=1)
def _queue() -> QueueClient:
    from azure.storage.queue import QueueClient, TextBase64EncodePolicy

    from shared.azure.storage import BACKOFF

    return QueueClient(
        settings().queue_url,
        settings().queue_name,
        credential=credential(),
        message_encode_policy=TextBase64EncodePolicy(),
        connection_timeout=5,
        read_timeout=20,
        retry_total=3,
        **BACKOFF,
    )


class AzureQueue:
    """The queue of the settings."""

    def send(self, body: str, delay: float) -> None:
        """Puts a message on the queue that is seen after `delay` seconds."""
        seconds = int(min(delay, MAX_DELAY) + 0.999) if delay > 0 else 0
        with azure_errors("put a message on the queue"):
            _queue().send_message(body, visibility_timeout=seconds)


def send(body: str, delay: float = 0.0) -> None:
    """Puts a message on the queue that is seen after `delay` seconds (at most 7 days)."""
    outside().queue.send(body, delay)


def reachable() -> None:
    """Asks the queue for its properties.

    Raises:
        ServiceError: it cannot be reached, or the identity may not.
    """
    with azure_errors("look at the queue"):
        _queue().get_queue_properties()
