"""Event Grid events, published in the background so that no request waits for a subscriber.

Envelope and types: learn.microsoft.com/azure/event-grid/event-schema-machine-learning.
"""

from __future__ import annotations

import asyncio
import json
import logging
import urllib.request
import uuid
from datetime import UTC, datetime
from typing import Any

from azureml_box.config import Config

_log = logging.getLogger(__name__)
_TIMEOUT = 10.0
_DELAYS = (0.2, 1.0, 3.0, 10.0, 30.0)


class EventPublisher:
    """Sends events to one topic, in order, with retries; without a topic it does nothing."""

    def __init__(self, config: Config) -> None:
        self._topic, self._url, self._key = config.workspace_scope, config.events_url, config.events_key
        self._queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._sender: asyncio.Task[None] | None = None

    def publish(self, event_type: str, subject: str, data: dict[str, Any]) -> None:
        """Queue one event; call it from the event loop's thread."""
        if self._url:
            self._queue.put_nowait(self._envelope(event_type, subject, data))

    async def start(self) -> None:
        """Begin sending."""
        if self._url:
            self._sender = asyncio.create_task(self._send_all())

    async def stop(self) -> None:
        """Give what is queued a second to leave, then end."""
        if self._sender is None:
            return
        try:
            await asyncio.wait_for(self._queue.join(), timeout=1)
        except TimeoutError:
            _log.warning("%d events were not delivered before the stop", self._queue.qsize())
        self._sender.cancel()

    def _envelope(self, event_type: str, subject: str, data: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": str(uuid.uuid4()),
            "topic": self._topic,
            "subject": subject,
            "eventType": event_type,
            "eventTime": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
            "data": data,
            "dataVersion": "",
            "metadataVersion": "1",
        }

    async def _send_all(self) -> None:
        while True:
            event = await self._queue.get()
            try:
                await self._send(event)
            finally:
                self._queue.task_done()

    async def _send(self, event: dict[str, Any]) -> None:
        for delay in (*_DELAYS, None):
            try:
                await asyncio.to_thread(self._post, event)
                return
            except OSError as error:  # URLError and HTTPError are OSErrors
                if delay is None:
                    _log.error("event %s (%s) is lost: %s", event["id"], event["eventType"], error)
                else:
                    await asyncio.sleep(delay)

    def _post(self, event: dict[str, Any]) -> None:
        headers = {"Content-Type": "application/json", "aeg-sas-key": self._key or "", "aeg-event-type": "Notification"}
        request = urllib.request.Request(str(self._url), json.dumps([event]).encode(), headers)
        with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:
            answer.read()
