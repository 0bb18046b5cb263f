"""Reads the storage's outbox and publishes BlobCreated on the topic `storage`.

The script around Azurite appends a line a write and rings a doorbell (a UDP datagram); should one be lost, a look every
second finds the line.
"""

import asyncio
import logging
import time
from email.utils import formatdate
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from local.eventgrid.blob_created import TYPE, blob_url, build, is_complete, subject
from local.eventgrid.delivery import Deliverer
from local.eventgrid.store import Store
from local.eventgrid.subscriptions import Event

log = logging.getLogger(__name__)
TOPIC = "storage"
LOOK_EVERY = 1.0
_AT_MOST = 4 * 1024 * 1024
_TIMEOUT = aiohttp.ClientTimeout(total=5)


class BlobReader:
    """Asks the storage, with a token of the box's identity, for what a write's request did not tell."""

    def __init__(self, client: aiohttp.ClientSession, identity_url: str, identity_header: str) -> None:
        self._client, self._identity_url, self._header = client, identity_url, identity_header
        self._token, self._until = "", 0.0

    async def properties(self, url: str) -> dict[str, Any]:
        """Return the blob's properties as BlobCreated names them; none where it cannot be read."""
        headers = {
            "authorization": f"Bearer {await self._bearer()}",
            "x-ms-version": "2023-11-03",
            "x-ms-date": formatdate(usegmt=True),
        }
        async with self._client.head(url, headers=headers, timeout=_TIMEOUT) as answer:
            if 400 <= answer.status < 500:
                # Gone again, or not readable: the event goes out with what is known; waiting would hold up all others.
                log.warning("a new blob cannot be asked for its length: the storage answered %d", answer.status)
                return {}
            answer.raise_for_status()
            given = answer.headers
            return {
                "contentLength": int(given.get("content-length", 0)),
                "contentType": given.get("content-type"),
                "blobType": given.get("x-ms-blob-type"),
                "eTag": given.get("etag"),
            }

    async def _bearer(self) -> str:
        if time.time() > self._until:
            query = {"api-version": "2019-08-01", "resource": "https://storage.azure.com"}
            headers = {"x-identity-header": self._header}
            async with self._client.get(self._identity_url, params=query, headers=headers, timeout=_TIMEOUT) as answer:
                answer.raise_for_status()
                given = await answer.json()
            self._token, self._until = given["access_token"], int(given["expires_on"]) - 300
        return self._token


class OutboxReader:
    """Follows the file from where an earlier process stopped."""

    def __init__(
        self, path: Path, store: Store, deliverer: Deliverer, blobs: BlobReader, topic_id: str, account_url: str
    ) -> None:
        self._path, self._deliverer, self._blobs = path, deliverer, blobs
        self._topic_id, self._account_url = topic_id, account_url
        self._position = store.position()
        self.doorbell = asyncio.Event()

    async def run(self) -> None:
        """Publish line by line until cancelled; a storage that is down for a while only delays."""
        while True:
            self.doorbell.clear()
            try:
                await self._catch_up()
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                log.warning("the outbox waits: the storage or the identity cannot be asked (%s)", type(error).__name__)
            try:
                await asyncio.wait_for(self.doorbell.wait(), LOOK_EVERY)
            except TimeoutError:
                pass

    async def _catch_up(self) -> None:
        while lines := self._read():
            events = await asyncio.gather(*(self._event(line) for line, _ in lines))
            self._position = lines[-1][1]
            self._deliverer.accept(TOPIC, [event for event in events if event], self._position)

    def _read(self) -> list[tuple[bytes, int]]:
        """Return the next whole lines with the position after each; a file that shrank is a new one."""
        if not self._path.is_file():
            return []
        if self._path.stat().st_size < self._position:
            self._position = 0
        with self._path.open("rb") as file:
            file.seek(self._position)
            found = file.read(_AT_MOST).splitlines(keepends=True)
        lines, position = [], self._position
        for line in found[:200]:
            if line.endswith(b"\n"):
                position += len(line)
                lines.append((line, position))
        return lines

    async def _event(self, raw: bytes) -> Event | None:
        try:
            line = msgspec.json.decode(raw, type=dict[str, Any])
        except msgspec.MsgspecError:
            log.exception("a line of the outbox is damaged and left out")
            return None
        if not self._deliverer.is_wanted(TOPIC, TYPE, subject(line)):
            return None
        url = blob_url(line, self._account_url)
        properties = {} if is_complete(line) else await self._blobs.properties(url)
        return build(line, properties, self._topic_id, self._account_url)


class Doorbell(asyncio.DatagramProtocol):
    """Sets an event for every datagram."""

    def __init__(self, event: asyncio.Event) -> None:
        self._event = event

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        """Wake the reader."""
        self._event.set()
