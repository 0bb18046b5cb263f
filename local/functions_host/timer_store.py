"""What timers keep in storage: the last firing of each, and a lease so that one instance alone fires it.

Source: AZURE_FACTS "The Functions host" (blob names as Azure's host has them).
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from azure.storage.blob.aio import BlobClient, BlobServiceClient

CONTAINER = "azure-webjobs-hosts"
LEASE_SECONDS = 15  # the shortest that storage allows


@dataclass(frozen=True)
class TimerStatus:
    """When a timer fired, and when it is to fire next (UTC)."""

    last: datetime
    next: datetime

    def document(self) -> dict[str, str]:
        """Return it with Azure's names."""
        now = datetime.now(UTC)
        return {"Last": self.last.isoformat(), "Next": self.next.isoformat(), "LastUpdated": now.isoformat()}


class TimerStore:
    """One timer's status blob and lock blob."""

    def __init__(self, blobs: "BlobServiceClient", host_id: str, function: str, lease_id: str) -> None:
        self._container = blobs.get_container_client(CONTAINER)
        self._status = self._container.get_blob_client(f"timers/{host_id}/{function}/status")
        self._lock = self._container.get_blob_client(f"locks/{host_id}/{function}.Listener")
        self._lease_id = lease_id

    async def read(self) -> TimerStatus | None:
        """Return the status, or None before the first firing."""
        from azure.core.exceptions import ResourceNotFoundError

        try:
            doc = json.loads(await (await self._status.download_blob()).readall())
        except ResourceNotFoundError:
            return None
        return TimerStatus(datetime.fromisoformat(doc["Last"]), datetime.fromisoformat(doc["Next"]))

    async def write(self, status: TimerStatus) -> None:
        """Keep the status."""
        await self._put(self._status, json.dumps(status.document()).encode())

    async def hold(self) -> bool:
        """Take or renew the lock for 15 s; False where another instance has it.

        Asking for a lease under the id that holds it renews it: an instance that was killed and started again under
        its own id goes on at once.
        """
        from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

        for _ in range(2):
            try:
                await self._lock.acquire_lease(LEASE_SECONDS, lease_id=self._lease_id)
                return True
            except ResourceNotFoundError:
                await self._put(self._lock, b"")
            except HttpResponseError as error:
                if error.status_code == 409:
                    return False
                raise
        return False

    async def let_go(self) -> None:
        """Free the lock, so that another instance need not wait until it ends by itself."""
        from azure.core.exceptions import AzureError
        from azure.storage.blob.aio import BlobLeaseClient

        try:
            await BlobLeaseClient(self._lock, lease_id=self._lease_id).release()
        except AzureError:
            pass  # it ends by itself

    async def _put(self, blob: "BlobClient", data: bytes) -> None:
        from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError

        options: dict[str, Any] = {"overwrite": True}
        try:
            await blob.upload_blob(data, **options)
        except ResourceNotFoundError:
            try:
                await self._container.create_container()
            except ResourceExistsError:
                pass
            await blob.upload_blob(data, **options)
        except HttpResponseError as error:
            if error.status_code != 412 or blob is not self._lock:
                raise  # 412: another instance made and leased the lock in this instant
