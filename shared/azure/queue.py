"""The storage queue that carries the work."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from shared.azure.credential import credential
from shared.azure.failures import azure_errors
from shared.azure.outside import outside
from shared.errors import NotFoundError
from shared.settings import settings

if TYPE_CHECKING:
    from azure.storage.queue import QueueClient

MAX_DELAY = 7 * 86400 - 60
UNSEEN_SECONDS = 30  # for so long nobody takes the message that `may_send` takes away again


@dataclass(frozen=True)
class Waiting:
    """The queue now: about how many messages, how old the first visible one is (seconds), how many were given up."""

    waiting: int
    oldest: float
    poisoned: int


@lru_cache(maxsize=2)
def _queue(ending: str = "") -> QueueClient:
    from azure.storage.queue import QueueClient, TextBase64EncodePolicy

    from shared.azure.storage import BACKOFF

    return QueueClient(
        settings().queue_url,
        settings().queue_name + ending,
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


def may_send() -> None:
    """Puts a message on the queue that nobody can see, and takes it away: whoever may both may work.

    Raises:
        ServiceError: it cannot be reached, or the identity may not.
    """
    with azure_errors("put a message on the queue"):
        sent = _queue().send_message("doctor", visibility_timeout=UNSEEN_SECONDS, time_to_live=UNSEEN_SECONDS + 30)
        _queue().delete_message(sent)


def look() -> Waiting:
    """The work queue and its poison queue.

    Raises:
        ServiceError: the work queue cannot be reached, or the identity may not.
    """
    from shared import clock

    with azure_errors("look at the queue"):
        waiting = _queue().get_queue_properties().approximate_message_count or 0
        first = _queue().peek_messages(max_messages=1)
    made = first[0].inserted_on if first else None
    oldest = (clock.now() - made).total_seconds() if made else 0.0
    return Waiting(waiting, max(0.0, oldest), _poisoned())


def _poisoned() -> int:
    """How many messages were given up; the queue for them comes with the first."""
    try:
        with azure_errors("look at the poison queue"):
            return _queue("-poison").get_queue_properties().approximate_message_count or 0
    except NotFoundError:
        return 0
