"""The storage account's blobs by the SDK, and in bulk by plain HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import lru_cache
from typing import IO, TYPE_CHECKING, Any, BinaryIO, cast

from shared.azure.credential import credential
from shared.azure.failures import azure_errors
from shared.azure.seen import Listed
from shared.errors import NotFoundError
from shared.settings import settings

if TYPE_CHECKING:
    from azure.storage.blob import BlobServiceClient, ContainerClient

    from shared.azure.staging import BlockWriter

CONNECT_SECONDS, READ_SECONDS = 5, 60
# The SDK's own pause before it tries again is 15 seconds and more: a step of twenty calls would outlive its function.
BACKOFF = {"initial_backoff": 0.5, "increment_base": 2, "random_jitter_range": 1}


WORKERS = 2  # ranges at once: with four no faster in the box, and 16 MB more in memory


@lru_cache(maxsize=1)
def _service() -> BlobServiceClient:
    from azure.storage.blob import BlobServiceClient

    return BlobServiceClient(
        settings().account_url,
        credential=credential(),
        connection_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retry_total=3,
        **BACKOFF,
    )


class AzureBlobs:
    """The blobs of the account."""

    def read(self, container: str, path: str, most: int | None) -> tuple[bytes, str]:
        """The bytes of a blob, or the first `most` of them, and its ETag."""
        with azure_errors(f"read {container}/{path}"):
            client = container_client(container)
            stream = client.download_blob(path, offset=0, length=most) if most else client.download_blob(path)
            return stream.readall(), _bare(stream.properties.etag)

    def write(
        self, container: str, path: str, data: bytes, *, if_match: str | None, create: bool, content_type: str
    ) -> str:
        """Writes a blob; its ETag."""
        with azure_errors(f"write {container}/{path}"):
            client = container_client(container).get_blob_client(path)
            result = client.upload_blob(data, **_condition(if_match, create), **_content(content_type))
        return _bare(result["etag"])

    def write_file(self, container: str, path: str, data: IO[bytes], told: Callable[[int], None] | None) -> None:
        """Uploads a file in parts; storage checks what arrived."""
        sent = 0

        def hook(current: int, _: int | None) -> None:
            nonlocal sent
            if told is not None:
                told(current - sent)
            sent = current

        with azure_errors(f"write {container}/{path}"):
            client = container_client(container).get_blob_client(path)
            client.upload_blob(data, overwrite=True, max_concurrency=2, validate_content=True, progress_hook=hook)

    def chunks(self, container: str, path: str, etag: str) -> Iterator[bytes]:
        """The bytes of exactly this version of a small blob."""
        from azure.core import MatchConditions

        with azure_errors(f"read {container}/{path}"):
            stream = container_client(container).download_blob(
                path, etag=f'"{etag}"', match_condition=MatchConditions.IfNotModified, max_concurrency=2
            )
            yield from stream.chunks()

    def stream(self, container: str, path: str, etag: str, size: int) -> Iterator[bytes]:
        """The bytes of exactly this version of a large one, by parallel ranges."""
        from shared.azure.ranges import stream

        return stream(container, path, etag, size, workers=WORKERS)

    def seekable(self, container: str, path: str, etag: str, size: int) -> BinaryIO:
        """The same as a file."""
        from shared.azure.ranges import RangeFile

        return cast(BinaryIO, RangeFile(container, path, etag, size))

    def stage(self, container: str, path: str, block: int) -> BlockWriter:
        """A blob to be written block by block."""
        from shared.azure.staging import BlockWriter

        return BlockWriter(container, path, block=block)

    def properties(self, container: str, path: str) -> Listed | None:
        """What is known of a blob, or None where there is none."""
        try:
            with azure_errors(f"look at {container}/{path}"):
                found = container_client(container).get_blob_client(path).get_blob_properties()
        except NotFoundError:
            return None
        return Listed(path, _bare(found.etag), found.size, found.last_modified)

    def list(self, container: str, prefix: str) -> list[Listed]:
        """All blobs whose path begins with a prefix, in order of their paths."""
        with azure_errors(f"list {container}/{prefix}"):
            found = container_client(container).list_blobs(name_starts_with=prefix or None, include=["copy"])
            return [_listed(blob) for blob in found]

    def delete(self, container: str, path: str, if_match: str | None) -> None:
        """Deletes a blob, of this ETag where one is given; it is no error where there is none."""
        try:
            with azure_errors(f"delete {container}/{path}"):
                container_client(container).delete_blob(path, **({} if if_match is None else _matching(if_match)))
        except NotFoundError:
            return

    def tag(self, container: str, path: str, tags: dict[str, str]) -> None:
        """Sets index tags."""
        with azure_errors(f"tag {container}/{path}"):
            container_client(container).get_blob_client(path).set_blob_tags(tags)

    def now(self, container: str) -> datetime:
        """The service's own clock."""
        from email.utils import parsedate_to_datetime

        headers: dict[str, str] = {}
        with azure_errors(f"look at the container {container}"):
            container_client(container).get_container_properties(
                raw_response_hook=lambda answer: headers.update(answer.http_response.headers)
            )
        return parsedate_to_datetime({k.lower(): v for k, v in headers.items()}["date"])


def _listed(blob: Any) -> Listed:
    arriving = blob.copy is not None and blob.copy.status == "pending"
    return Listed(blob.name, _bare(blob.etag), blob.size, blob.last_modified, arriving)


def container_client(name: str) -> ContainerClient:
    """The SDK's client of a container."""
    return _service().get_container_client(name)


def exists_all(containers: Iterable[str]) -> list[str]:
    """The containers among these that do not exist."""
    with azure_errors("list the containers"):
        present = {found.name for found in _service().list_containers()}
    return [name for name in containers if name not in present]


def _condition(if_match: str | None, create: bool) -> dict[str, Any]:
    if create:
        return {"overwrite": False}
    return {"overwrite": True, **({} if if_match is None else _matching(if_match))}


def _matching(etag: str) -> dict[str, Any]:
    from azure.core import MatchConditions

    return {"etag": f'"{etag}"', "match_condition": MatchConditions.IfNotModified}


def _content(content_type: str) -> dict[str, Any]:
    from azure.storage.blob import ContentSettings

    return {"content_settings": ContentSettings(content_type=content_type)} if content_type else {}


def _bare(etag: Any) -> str:
    return str(etag).strip('"')
