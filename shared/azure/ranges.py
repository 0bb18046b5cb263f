"""Exactly one version of a blob, read by parallel ranges: as a stream in order, and as a file to seek in."""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from itertools import islice
from threading import Event
from typing import TYPE_CHECKING

from shared.azure.wire import MIB, address, call, persistently
from shared.errors import ConflictError, TransientError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer
    from urllib3 import BaseHTTPResponse

# Above 4 MiB: up to there storage may be asked for a hash, and Azurite reads each range twice to make one.
PART = 8 * MIB
PIECE = MIB
WORKERS = 4


def stream(
    container: str, path: str, etag: str, size: int, *, start: int = 0, workers: int = WORKERS, part: int = PART
) -> Iterator[bytes]:
    """The bytes `start` to `size` of exactly this version of a blob, in order, in pieces of at most 1 MiB.

    `workers` ranges of `part` bytes are read at once; `workers + 1` parts are in memory at most. A range that breaks is
    read again from there, four times in all. Closing the iterator ends its threads.

    Raises:
        ConflictError: the blob was overwritten meanwhile.
        NotFoundError: it was deleted.
        TransientError: storage did not answer in four tries, or asks to come back much later.
    """
    return _Version(container, path, etag).stream(start, size, workers, part)


@dataclass(frozen=True)
class _Version:
    """One version of a blob."""

    container: str
    path: str
    etag: str

    def stream(self, begin: int, end: int, workers: int, part: int) -> Generator[bytes, None, None]:
        stop, pool = Event(), ThreadPoolExecutor(workers, thread_name_prefix="blob-range")
        jobs = (pool.submit(self.fetch, at, min(at + part, end), stop) for at in range(begin, end, part))
        waiting = deque(islice(jobs, workers))
        try:
            while waiting:
                pieces = waiting.popleft().result()
                waiting.extend(islice(jobs, 1))
                while pieces:
                    yield pieces.popleft()
        finally:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)

    def fetch(self, begin: int, end: int, stop: Event) -> deque[bytes]:
        """The pieces of one range; those that came before a break are kept."""
        pieces: deque[bytes] = deque()
        try:
            persistently(lambda: self._read_on(begin, end, pieces, stop), stop)
        except ConflictError:
            persistently(self._look, stop)
            raise
        return pieces

    def _look(self) -> None:
        """Azurite answers 412 also where the blob is gone: whether it is shows without the condition."""
        with self._call("HEAD", {}, expected=200):
            return

    def _read_on(self, begin: int, end: int, pieces: deque[bytes], stop: Event) -> None:
        at = begin + sum(map(len, pieces))
        headers = {"x-ms-range": f"bytes={at}-{end - 1}", "If-Match": f'"{self.etag}"'}
        with self._call("GET", headers, expected=206) as answer:
            while at < end and not stop.is_set():
                piece = answer.read(min(PIECE, end - at), decode_content=False)
                if not piece:
                    raise TransientError(f"could not read {self.container}/{self.path}: it ended at byte {at} of {end}")
                pieces.append(piece)
                at += len(piece)

    def _call(self, method: str, headers: dict[str, str], expected: int) -> AbstractContextManager[BaseHTTPResponse]:
        doing = f"read {self.container}/{self.path}"
        return call(doing, method, address(self.container, self.path), headers, expected)


class RangeFile(io.RawIOBase):
    """A version of a blob as a file to seek in and read, such as Parquet's: small reads are answered from the last MiB.

    Raises as `stream` does, at a read.
    """

    def __init__(self, container: str, path: str, etag: str, size: int) -> None:
        self._blob, self._size, self._at = _Version(container, path, etag), size, 0
        self._window, self._window_at = b"", 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        """The place of the next read."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Moves the place of the next read, also beyond the end."""
        target = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence] + offset
        if target < 0:
            raise ValueError(f"cannot seek to {target}, before the beginning of {self._blob.path}")
        self._at = target
        return target

    def read(self, size: int | None = -1, /) -> bytes:
        """So many bytes, fewer at the end of the blob only."""
        left = max(self._size - self._at, 0)
        count = left if size is None or size < 0 else min(size, left)
        if not count:
            return b""
        data = self._small(count) if count < PIECE else self._large(count)
        self._at += count
        return data

    def readall(self) -> bytes:
        return self.read()

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fills a buffer, less at the end of the blob only."""
        view = memoryview(buffer).cast("B")
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)

    def _small(self, count: int) -> bytes:
        if not self._window_at <= self._at <= self._at + count <= self._window_at + len(self._window):
            self._window = self._large(min(PIECE, self._size - self._at))
            self._window_at = self._at
        begin = self._at - self._window_at
        return self._window[begin : begin + count]

    def _large(self, count: int) -> bytes:
        begin, end = self._at, self._at + count
        if count <= PART:
            return b"".join(self._blob.fetch(begin, end, Event()))
        with closing(self._blob.stream(begin, end, WORKERS, PART)) as pieces:
            return b"".join(pieces)
