"""The host's own clients of blob and queue storage: one connection pool and one credential for each."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

from local.functions_host.settings import Connection, connection

if TYPE_CHECKING:
    from azure.storage.blob.aio import BlobServiceClient
    from azure.storage.queue.aio import QueueClient, QueueServiceClient

# Short: a storage that is down must not hold a listener for minutes; every caller here tries again by itself.
_LIMITS: dict[str, Any] = {
    "connection_timeout": 5,
    "read_timeout": 15,
    "retry_total": 3,
    "initial_backoff": 0.2,
    "increment_base": 2,
    "random_jitter_range": 1,
}


class StorageClients:
    """Makes clients when they are first asked for; `close` ends them all."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._settings = settings
        self._stack = AsyncExitStack()
        self._credential: Any = None
        self._queues: dict[str, QueueServiceClient] = {}
        self._blobs: BlobServiceClient | None = None

    def queue(self, name: str, connection_name: str) -> "QueueClient":
        """Return the client of one queue; the connection is an app setting's name."""
        if connection_name not in self._queues:
            from azure.storage.queue.aio import QueueServiceClient

            where = connection(connection_name, "queue", self._settings)
            self._queues[connection_name] = self._make(QueueServiceClient, where)
        return self._queues[connection_name].get_queue_client(name)

    def blobs(self) -> "BlobServiceClient":
        """Return the client of the host's own storage, AzureWebJobsStorage."""
        if self._blobs is None:
            from azure.storage.blob.aio import BlobServiceClient

            self._blobs = self._make(BlobServiceClient, connection("", "blob", self._settings))
        return self._blobs

    async def close(self) -> None:
        """Close the clients and the credential."""
        await self._stack.aclose()

    def _make(self, kind: Any, where: Connection) -> Any:
        if where.connection_string:
            client = kind.from_connection_string(where.connection_string, **_LIMITS)
        else:
            client = kind(where.url, credential=self._own_credential(), **_LIMITS)
        self._stack.push_async_callback(client.close)
        return client

    def _own_credential(self) -> Any:
        if self._credential is None:
            from azure.identity.aio import DefaultAzureCredential

            self._credential = DefaultAzureCredential()
            self._stack.push_async_callback(self._credential.close)
        return self._credential
