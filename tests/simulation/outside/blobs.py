"""The storage account in memory: ETags, conditions, listings in order, blobs seen whole or not at all."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import IO, Any, BinaryIO
from zlib import crc32

from shared.azure.seen import Listed
from shared.errors import ConflictError, NotFoundError
from tests.simulation.outside.gate import Gate

RECORDS = ("uploads", "runs", "endpoints")
PIECE = 2048


@dataclass
class Blob:
    """One version of a blob; `modified` is in whole seconds, as Last-Modified is."""

    data: bytes
    etag: str
    modified: float
    kind: str = ""
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Written:
    """A change of a blob, for the checker; `data` None: it was deleted."""

    at: float
    container: str
    path: str
    data: bytes | None
    etag: str
    condition: str


class FakeBlobs:
    """Blobs by container and path."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self.containers: dict[str, dict[str, Blob]] = {}
        self.heard: list[Callable[[Written], None]] = []
        self._versions: dict[tuple[str, str], int] = {}

    def read(self, container: str, path: str, most: int | None) -> tuple[bytes, str]:
        """The bytes, or the first of them, and the ETag."""

        def effect() -> tuple[bytes, str]:
            found = self._get(container, path)
            return found.data[:most] if most else found.data, found.etag

        return self._gate.call(_point(container, path, "read"), f"{container}/{path}", effect)

    def write(
        self, container: str, path: str, data: bytes, *, if_match: str | None, create: bool, content_type: str
    ) -> str:
        """Writes under a condition."""
        point = _point(container, path, "create" if create and container in RECORDS else "write")
        return self._gate.call(
            point, f"{container}/{path}", lambda: self.put(container, path, data, if_match, create, content_type)
        )

    def write_file(self, container: str, path: str, data: IO[bytes], told: Callable[[int], None] | None) -> None:
        """Writes a file whole."""
        content = data.read()
        self._gate.call("file write", f"{container}/{path}", lambda: self.put(container, path, content))
        if told is not None:
            told(len(content))

    def chunks(self, container: str, path: str, etag: str) -> Iterator[bytes]:
        """A small blob of exactly this version."""
        yield self._gate.call("blob range", f"{container}/{path}", lambda: self._version(container, path, etag).data)

    def stream(self, container: str, path: str, etag: str, size: int) -> Iterator[bytes]:
        """A blob of exactly this version, piece by piece: somebody may overwrite it between two."""
        for begin in range(0, size, PIECE):
            yield self._range(container, path, etag, begin, min(begin + PIECE, size))

    def _range(self, container: str, path: str, etag: str, begin: int, end: int) -> bytes:
        about = f"{container}/{path} {begin}-{end}"
        return self._gate.call("blob range", about, lambda: self._version(container, path, etag).data[begin:end])

    def seekable(self, container: str, path: str, etag: str, size: int) -> BinaryIO:
        """The same as a file."""
        return io.BytesIO(b"".join(self.stream(container, path, etag, size)))

    def stage(self, container: str, path: str, block: int) -> FakeStaged:
        """A blob to be seen whole or not at all."""
        return FakeStaged(self, self._gate, container, path)

    def properties(self, container: str, path: str) -> Listed | None:
        """What is known of a blob, or None."""

        def effect() -> Listed | None:
            found = self.containers.get(container, {}).get(path)
            return listed(path, found) if found else None

        return self._gate.call("blob properties", f"{container}/{path}", effect, missing=None)

    def list(self, container: str, prefix: str) -> list[Listed]:
        """In order of the paths."""

        def effect() -> list[Listed]:
            blobs = self.containers.get(container, {})
            return [listed(path, blobs[path]) for path in sorted(blobs) if path.startswith(prefix)]

        return self._gate.call(f"{_what(container, prefix)} list", f"{container}/{prefix}", effect)

    def delete(self, container: str, path: str, if_match: str | None) -> None:
        """No error where there is none."""
        self._gate.call(
            _point(container, path, "delete"),
            f"{container}/{path}",
            lambda: self.remove(container, path, if_match),
            None,
        )

    def tag(self, container: str, path: str, tags: dict[str, str]) -> None:
        """Sets index tags."""
        self._gate.call("blob tag", f"{container}/{path}", lambda: self._get(container, path).tags.update(tags))

    def now(self, container: str) -> datetime:
        """The service's clock, in whole seconds."""
        return self._gate.call("container properties", container, lambda: moment(int(self._gate.kernel.now)))

    def put(
        self, container: str, path: str, data: bytes, if_match: str | None = None, create: bool = False, kind: str = ""
    ) -> str:
        """Writes at once."""
        blobs = self.containers.setdefault(container, {})
        before = blobs.get(path)
        if create and before is not None:
            raise ConflictError(f"could not write {container}/{path}: it exists", status=409)
        if if_match is not None and (before is None or before.etag != if_match):
            raise ConflictError(f"could not write {container}/{path}: it has another ETag", status=412)
        version = self._versions[container, path] = self._versions.get((container, path), 0) + 1
        etag = f"0x8D{crc32(f'{container}/{path}'.encode()):08X}{version:04X}"
        blobs[path] = Blob(data, etag, float(int(self._gate.kernel.now)), kind)
        condition = "create" if create else f"match {if_match}" if if_match else ""
        self._tell(Written(self._gate.kernel.now, container, path, data, etag, condition))
        return etag

    def remove(self, container: str, path: str, if_match: str | None = None) -> None:
        """Deletes at once."""
        found = self.containers.get(container, {}).get(path)
        if found is None:
            return
        if if_match is not None and found.etag != if_match:
            raise ConflictError(f"could not delete {container}/{path}: it has another ETag", status=412)
        del self.containers[container][path]
        self._tell(
            Written(self._gate.kernel.now, container, path, None, found.etag, f"match {if_match}" if if_match else "")
        )

    def _tell(self, written: Written) -> None:
        for hear in self.heard:
            hear(written)

    def _get(self, container: str, path: str) -> Blob:
        found = self.containers.get(container, {}).get(path)
        if found is None:
            raise NotFoundError(f"could not read {container}/{path}: there is no such blob", status=404)
        return found

    def _version(self, container: str, path: str, etag: str) -> Blob:
        found = self._get(container, path)
        if found.etag != etag:
            raise ConflictError(f"could not read {container}/{path}: it has another ETag", status=412)
        return found


class FakeStaged:
    """A blob that is written piece by piece."""

    def __init__(self, blobs: FakeBlobs, gate: Gate, container: str, path: str) -> None:
        self.bytes_written = 0
        self._blobs, self._gate, self._container, self._path = blobs, gate, container, path
        self._head, self._body, self._over = b"", bytearray(), False

    @property
    def sha256_body(self) -> str:
        """Of all that was written, without the head."""
        return hashlib.sha256(self._body).hexdigest()

    def write(self, data: bytes) -> None:
        """Takes the next bytes."""
        self._refuse_if_over()
        self._body += data
        self.bytes_written += len(data)

    def set_head(self, data: bytes) -> None:
        """Takes what stands before all that."""
        self._refuse_if_over()
        self._head = data

    def commit(self, *, content_type: str) -> str:
        """Puts the blocks, then their list."""
        self._refuse_if_over()
        about = f"{self._container}/{self._path}"
        self._gate.call("snapshot block", about, lambda: None)
        whole = self._head + bytes(self._body)
        etag = self._gate.call(
            "snapshot commit", about, lambda: self._blobs.put(self._container, self._path, whole, kind=content_type)
        )
        self._over = True
        return etag

    def abandon(self) -> None:
        """Forgets it."""
        self._over = True

    def _refuse_if_over(self) -> None:
        if self._over:
            raise ValueError("it was committed or abandoned already")


def listed(path: str, blob: Blob) -> Listed:
    """As a listing shows it."""
    return Listed(path, blob.etag, len(blob.data), moment(blob.modified))


def moment(seconds: float) -> datetime:
    """A time as Azure tells it."""
    return datetime.fromtimestamp(seconds, UTC)


def _what(container: str, path: str) -> str:
    if container in RECORDS:
        return "use" if "/use/" in path else "record"
    names: dict[str, Any] = {"active": "marker", "datasets": "report" if ".report." in path else "dataset"}
    return str(names.get(container, container.removesuffix("s")))


def _point(container: str, path: str, verb: str) -> str:
    return f"{_what(container, path)} {verb}"
