"""Blob containers: JSON records guarded by ETags, files, listings, index tags."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import IO, TYPE_CHECKING, Any

from shared.azure.credential import credential
from shared.azure.failures import azure_errors
from shared.errors import NotFoundError, ServiceError
from shared.settings import settings

if TYPE_CHECKING:
    from azure.storage.blob import BlobServiceClient, ContainerClient

CONNECT_SECONDS, READ_SECONDS = 5, 60


@dataclass(frozen=True)
class Listed:
    """A blob as a listing or its properties show it; `seen_at` is the service's own clock."""

    path: str
    etag: str
    size: int
    modified: datetime


@lru_cache(maxsize=1)
def _service() -> BlobServiceClient:
    from azure.storage.blob import BlobServiceClient

    return BlobServiceClient(
        settings().account_url,
        credential=credential(),
        connection_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retry_total=3,
    )


class Container:
    """One blob container."""

    def __init__(self, name: str) -> None:
        self.name = name

    @property
    def _client(self) -> ContainerClient:
        return _service().get_container_client(self.name)

    def read(self, path: str, *, most: int | None = None) -> tuple[bytes, str]:
        """The bytes of a blob, or the first `most` of them, and its ETag.

        Raises:
            NotFoundError: there is no such blob.
        """
        with azure_errors(f"read {self.name}/{path}"):
            stream = (
                self._client.download_blob(path, offset=0, length=most) if most else self._client.download_blob(path)
            )
            return stream.readall(), _bare(stream.properties.etag)

    def write(
        self, path: str, data: bytes, *, if_match: str | None = None, create: bool = False, content_type: str = ""
    ) -> str:
        """Writes a blob and returns its ETag; only over the version `if_match`, or only where none is (`create`).

        Raises:
            ConflictError: somebody else wrote it first.
        """
        with azure_errors(f"write {self.name}/{path}"):
            client = self._client.get_blob_client(path)
            result = client.upload_blob(data, **_condition(if_match, create), **_content(content_type))
        return _bare(result["etag"])

    def write_file(self, path: str, data: IO[bytes], told: Callable[[int], None] | None = None) -> None:
        """Uploads a file, over what was there: it is seen whole or not at all, and storage checks what arrived.

        `told` hears how many bytes were sent more.
        """
        sent = 0

        def hook(current: int, _: int | None) -> None:
            nonlocal sent
            if told is not None:
                told(current - sent)
            sent = current

        with azure_errors(f"write {self.name}/{path}"):
            client = self._client.get_blob_client(path)
            client.upload_blob(data, overwrite=True, max_concurrency=2, validate_content=True, progress_hook=hook)

    def chunks(self, path: str, etag: str) -> Iterator[bytes]:
        """The bytes of exactly this version of a blob.

        Raises:
            ConflictError: the blob was overwritten meanwhile.
            NotFoundError: it was deleted.
        """
        from azure.core import MatchConditions

        with azure_errors(f"read {self.name}/{path}"):
            stream = self._client.download_blob(
                path, etag=f'"{etag}"', match_condition=MatchConditions.IfNotModified, max_concurrency=2
            )
            yield from stream.chunks()

    def properties(self, path: str) -> Listed | None:
        """What is known of a blob, or None where there is none."""
        try:
            with azure_errors(f"look at {self.name}/{path}"):
                found = self._client.get_blob_client(path).get_blob_properties()
        except NotFoundError:
            return None
        return Listed(path, _bare(found.etag), found.size, found.last_modified)

    def list(self, prefix: str = "") -> list[Listed]:
        """All blobs whose path begins with a prefix, in order of their paths."""
        with azure_errors(f"list {self.name}/{prefix}"):
            found = self._client.list_blobs(name_starts_with=prefix or None)
            return [Listed(blob.name, _bare(blob.etag), blob.size, blob.last_modified) for blob in found]

    def delete(self, path: str) -> None:
        """Deletes a blob; it is no error where there is none."""
        try:
            with azure_errors(f"delete {self.name}/{path}"):
                self._client.delete_blob(path)
        except NotFoundError:
            return

    def tag(self, path: str, tags: dict[str, str]) -> None:
        """Sets index tags where the account has them: they are for people, nothing of ours depends on them."""
        try:
            with azure_errors(f"tag {self.name}/{path}"):
                self._client.get_blob_client(path).set_blob_tags(tags)
        except ServiceError:
            return

    def now(self) -> datetime:
        """The service's own clock: ages are reckoned by it, never by comparing two machines."""
        from email.utils import parsedate_to_datetime

        headers: dict[str, str] = {}
        with azure_errors(f"look at the container {self.name}"):
            self._client.get_container_properties(
                raw_response_hook=lambda answer: headers.update(answer.http_response.headers)
            )
        return parsedate_to_datetime({k.lower(): v for k, v in headers.items()}["date"])


def exists_all(containers: Iterable[str]) -> list[str]:
    """The containers among these that do not exist."""
    with azure_errors("list the containers"):
        present = {found.name for found in _service().list_containers()}
    return [name for name in containers if name not in present]


def _condition(if_match: str | None, create: bool) -> dict[str, Any]:
    from azure.core import MatchConditions

    if create:
        return {"overwrite": False}
    if if_match is not None:
        return {"overwrite": True, "etag": f'"{if_match}"', "match_condition": MatchConditions.IfNotModified}
    return {"overwrite": True}


def _content(content_type: str) -> dict[str, Any]:
    from azure.storage.blob import ContentSettings

    return {"content_settings": ContentSettings(content_type=content_type)} if content_type else {}


def _bare(etag: Any) -> str:
    return str(etag).strip('"')
