"""Blobs of the workspace's storage account, over HTTPS, with a cache of hard links for what is already here."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from azureml_box.cache import BlobCache
from azureml_box.config import Config

_TIMEOUTS: dict[str, Any] = {"connection_timeout": 5, "read_timeout": 60}


class BlobStorage:
    """Synchronous; call it through `asyncio.to_thread`. Connects on first use."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._cache = BlobCache(config.home / "cache")
        self._connection: Any = None

    @property
    def _service(self) -> Any:
        if self._connection is None:
            from azure.storage.blob import BlobServiceClient, LinearRetry

            credential = {"account_name": self._config.storage_account, "account_key": self._config.storage_key}
            # The SDK's own policy waits 15 s before its first retry; the account is on this machine, and one that is
            # started again is there within seconds: no job fails for that.
            retry = LinearRetry(backoff=1, retry_total=20, retry_connect=20, random_jitter_range=0)
            options = {**_TIMEOUTS, "retry_policy": retry}
            self._connection = BlobServiceClient(self._config.storage_url, credential=credential, **options)
        return self._connection

    def _blob(self, container: str, blob: str) -> Any:
        return self._service.get_blob_client(container, blob)

    def wait_until_ready(self, seconds: float = 60) -> None:
        """Wait for an account that starts beside us; raises azure.core's ServiceRequestError when it does not."""
        from azure.core.exceptions import ServiceRequestError

        end = time.monotonic() + seconds
        while True:
            try:
                self._service.get_account_information(retry_total=0)
            except ServiceRequestError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.1)
            else:
                return

    def ensure_container(self, name: str) -> None:
        """Create the container unless it is there."""
        from azure.core.exceptions import ResourceExistsError

        try:
            self._service.create_container(name)
        except ResourceExistsError:
            return

    def upload_file(self, container: str, blob: str, path: Path) -> None:
        """Send one file; a later download of it is a hard link."""
        with path.open("rb") as data:
            answer = self._blob(container, blob).upload_blob(data, overwrite=True, max_concurrency=2)
        self._cache.keep(container, blob, str(answer["etag"]), path)

    def upload_folder(self, container: str, prefix: str, folder: Path) -> int:
        """Send every file below `folder` (symbolic links are followed); how many."""
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        for path in files:
            self.upload_file(container, _join(prefix, path.relative_to(folder).as_posix()), path)
        return len(files)

    def download_file(self, container: str, blob: str, path: Path) -> str:
        """Fetch one blob, and return its ETag; raises azure.core's ResourceNotFoundError."""
        properties = self._blob(container, blob).get_blob_properties()
        self._fetch(container, blob, str(properties.etag), path)
        return str(properties.etag)

    def entries(self, container: str, prefix: str = "") -> Iterator[tuple[str, str, str]]:
        """Name, ETag and kind of the blobs that begin with `prefix`."""
        for found in self._service.get_container_client(container).list_blobs(name_starts_with=prefix):
            yield found.name, str(found.etag), str(getattr(found.blob_type, "value", found.blob_type))

    def replace(self, container: str, blob: str, path: Path, kind: str) -> str:
        """Send one file in place of whatever is there, as a blob of a kind; its new ETag."""
        self.delete(container, blob)
        with path.open("rb") as data:
            self._blob(container, blob).upload_blob(data, blob_type=kind, overwrite=True)
        return str(self._blob(container, blob).get_blob_properties().etag)

    def download_prefix(self, container: str, prefix: str, folder: Path) -> int:
        """Fetch everything below `prefix`, or the one blob of that name; how many files."""
        count = 0
        folder.mkdir(parents=True, exist_ok=True)
        for found in self._service.get_container_client(container).list_blobs(name_starts_with=prefix):
            relative = _below(found.name, prefix)
            if relative is not None:
                self._fetch(container, found.name, str(found.etag), folder / relative)
                count += 1
        return count

    def list(self, container: str, prefix: str = "") -> list[str]:
        """Names of the blobs that begin with `prefix`; empty where the container is missing."""
        from azure.core.exceptions import ResourceNotFoundError

        try:
            return list(self._service.get_container_client(container).list_blob_names(name_starts_with=prefix))
        except ResourceNotFoundError:
            return []

    def exists(self, container: str, blob: str) -> bool:
        """Whether this very blob is there."""
        return bool(self._blob(container, blob).exists())

    def container_exists(self, container: str) -> bool:
        """Whether the container is there; one whose name no container can have is not."""
        from azure.core.exceptions import HttpResponseError

        try:
            return bool(self._service.get_container_client(container).exists())
        except HttpResponseError as error:
            if error.status_code != 400:
                raise
            return False

    def delete(self, container: str, blob: str) -> None:
        """Remove a blob; it may be gone already."""
        from azure.core.exceptions import ResourceNotFoundError

        try:
            self._blob(container, blob).delete_blob()
        except ResourceNotFoundError:
            return

    def append(self, container: str, blob: str, data: bytes) -> None:
        """Add to an append blob, made on first use: for logs that are read while they grow."""
        from azure.core.exceptions import ResourceNotFoundError

        client = self._blob(container, blob)
        try:
            client.append_block(data)
        except ResourceNotFoundError:
            client.create_append_blob()
            client.append_block(data)

    def copy(self, container: str, blob: str, to: str, target: str) -> None:
        """Copy one blob to container `to`, by the service itself."""
        source = f"{self.blob_url(container, blob)}?{self.container_sas(container, 'r', 1)}"
        self._blob(to, target).start_copy_from_url(source, requires_sync=True)

    def read(self, container: str, blob: str) -> bytes:
        """The blob's bytes; raises azure.core's ResourceNotFoundError."""
        content: bytes = self._blob(container, blob).download_blob().readall()
        return content

    def container_sas(self, container: str, permissions: str = "racwdl", hours: float = 24) -> str:
        """A SAS query string for one container; the start lies back a little, as clocks differ."""
        from azure.storage.blob import generate_container_sas

        now = datetime.now(UTC)
        sas: str = generate_container_sas(
            self._config.storage_account,
            container,
            account_key=self._config.storage_key,
            permission=permissions,
            start=now - timedelta(minutes=5),
            expiry=now + timedelta(hours=hours),
        )
        return sas

    def blob_url(self, container: str, blob: str = "") -> str:
        """The URL of a blob, or of the container where no blob is named."""
        from urllib.parse import quote

        url = f"{self._config.storage_url}/{container}"
        return f"{url}/{quote(blob)}" if blob else url

    def _fetch(self, container: str, blob: str, etag: str, path: Path) -> None:
        if self._cache.link(container, blob, etag, path):
            return
        part = path.with_name(path.name + ".part")
        part.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as target:
            self._blob(container, blob).download_blob(max_concurrency=2).readinto(target)
        part.replace(path)
        self._cache.keep(container, blob, etag, path)


def _join(prefix: str, name: str) -> str:
    return f"{prefix.rstrip('/')}/{name}" if prefix.strip("/") else name


def _below(name: str, prefix: str) -> str | None:
    """The name relative to the folder `prefix`; None for a neighbour that only shares its letters."""
    folder = prefix.rstrip("/")
    if not folder:
        return name
    if name == folder:
        return name.rsplit("/", 1)[-1]
    return name[len(folder) + 1 :] if name.startswith(folder + "/") else None
