"""Blob containers: JSON records guarded by ETags, files, listings, index tags."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from typing import IO, BinaryIO

from shared.azure.gateways import Staged
from shared.azure.outside import outside
from shared.azure.seen import Listed
from shared.errors import ServiceError


class Container:
    """One blob container."""

    def __init__(self, name: str) -> None:
        self.name = name

    def read(self, path: str, *, most: int | None = None) -> tuple[bytes, str]:
        """The bytes of a blob, or the first `most` of them, and its ETag.

        Raises:
            NotFoundError: there is no such blob.
        """
        return outside().blobs.read(self.name, path, most)

    def write(
        self, path: str, data: bytes, *, if_match: str | None = None, create: bool = False, content_type: str = ""
    ) -> str:
        """Writes a blob and returns its ETag; only over the version `if_match`, or only where none is (`create`).

        Raises:
            ConflictError: somebody else wrote it first.
        """
        return outside().blobs.write(self.name, path, data, if_match=if_match, create=create, content_type=content_type)

    def write_file(self, path: str, data: IO[bytes], told: Callable[[int], None] | None = None) -> None:
        """Uploads a file, over what was there: it is seen whole or not at all.

        `told` hears how many bytes were sent more.
        """
        outside().blobs.write_file(self.name, path, data, told)

    def chunks(self, path: str, etag: str) -> Iterator[bytes]:
        """The bytes of exactly this version of a small blob.

        Raises:
            ConflictError: the blob was overwritten meanwhile.
            NotFoundError: it was deleted.
        """
        return outside().blobs.chunks(self.name, path, etag)

    def stream(self, path: str, etag: str, size: int) -> Iterator[bytes]:
        """The bytes of exactly this version of a blob of any size; raises as `chunks` does."""
        return outside().blobs.stream(self.name, path, etag, size)

    def seekable(self, path: str, etag: str, size: int) -> BinaryIO:
        """The same as a file to seek in."""
        return outside().blobs.seekable(self.name, path, etag, size)

    def stage(self, path: str, *, block: int) -> Staged:
        """A blob to be written in blocks of so many bytes, seen whole or not at all."""
        return outside().blobs.stage(self.name, path, block)

    def properties(self, path: str) -> Listed | None:
        """What is known of a blob, or None where there is none."""
        return outside().blobs.properties(self.name, path)

    def list(self, prefix: str = "") -> list[Listed]:
        """All blobs whose path begins with a prefix, in order of their paths."""
        return outside().blobs.list(self.name, prefix)

    def delete(self, path: str, *, if_match: str | None = None) -> None:
        """Deletes a blob, of this ETag where one is given; it is no error where there is none.

        Raises:
            ConflictError: it has another ETag.
        """
        outside().blobs.delete(self.name, path, if_match)

    def tag(self, path: str, tags: dict[str, str]) -> None:
        """Sets index tags where the account has them: they are for people, nothing of ours depends on them."""
        with suppress(ServiceError):
            outside().blobs.tag(self.name, path, tags)

    def now(self) -> datetime:
        """The service's own clock: ages are reckoned by it, never by comparing two machines."""
        return outside().blobs.now(self.name)


def exists_all(containers: Iterable[str]) -> list[str]:
    """The containers among these that do not exist."""
    from shared.azure.storage import exists_all as look

    return look(containers)
