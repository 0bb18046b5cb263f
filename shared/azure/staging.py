"""A blob written block by block in the background, and seen whole or not at all."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from threading import Event
from urllib.parse import quote

from shared.azure.wire import MIB, address, call, persistently
from shared.errors import RejectedError

# https://learn.microsoft.com/rest/api/storageservices/put-block
MOST_BLOCKS = 50_000
LARGEST_BLOCK = 4000 * MIB


class BlockWriter:
    """Writes one blob; nobody sees anything of it before `commit`.

    Blocks are put by `workers` threads; `workers + 1` are in memory at most. What one of them could not do is raised at
    the next call. Each block goes with its MD5, so that storage checks what arrived. A block's id follows from its place
    and content: whoever writes the same again puts the same blocks, and two writers of one path never mix theirs. Without
    a commit storage forgets the blocks after a week. `bytes_written` and `sha256_body` (to be asked for after `commit`)
    are of all that was written, without the head, since that comes last.

    Example:
        with BlockWriter("snapshots", "name/train.jsonl") as writer:
            writer.write(b"...")
            writer.set_head(b"what stands before all that")
            etag = writer.commit(content_type="application/jsonl")
    """

    def __init__(self, container: str, path: str, *, block: int = 8 * MIB, workers: int = 2) -> None:
        if not 0 < block <= LARGEST_BLOCK:
            raise ValueError(f"a block of {block} bytes: storage takes 1 to {LARGEST_BLOCK}")
        self.bytes_written = 0
        self._doing, self._url = f"write {container}/{path}", address(container, path)
        self._block, self._workers = block, workers
        self._buffer, self._head, self._body = bytearray(), list[str](), list[str]()
        self._hash, self._stop = hashlib.sha256(), Event()
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="blob-block")
        self._hasher = ThreadPoolExecutor(1, thread_name_prefix="blob-sha256")  # one, since their order counts
        self._pending: set[Future[None]] = set()

    @property
    def sha256_body(self) -> str:
        """The hash of what was written, in hexadecimal digits."""
        return self._hash.hexdigest()

    def write(self, data: bytes | memoryview) -> None:
        """Appends; waits where blocks come faster than storage takes them.

        Raises:
            ServiceError: an earlier block could not be put, or there are too many.
        """
        self._refuse_if_over()
        self._look_at([job for job in self._pending if job.done()])
        self.bytes_written += len(data)
        rest = memoryview(data)
        while rest:
            room = self._block - len(self._buffer)
            self._buffer += rest[:room]
            rest = rest[room:]
            if len(self._buffer) == self._block:
                self._flush()

    def set_head(self, data: bytes) -> None:
        """Puts what will stand before all else, in place of an earlier head."""
        self._refuse_if_over()
        self._settle(0)
        pieces = [data[at : at + self._block] for at in range(0, len(data), self._block)]
        self._head = []
        for piece in pieces:
            self._start(self._head, bytearray(piece))

    def commit(self, *, content_type: str = "") -> str:
        """Makes all of it visible at once, over what was there, and returns the ETag; one block alone is put as a blob.

        Raises:
            ServiceError: a block or the commit could not be put: the blob is what it was before.
        """
        self._refuse_if_over()
        kind = {"x-ms-blob-content-type": content_type} if content_type else {}
        if not self._head and not self._body:
            self._hash.update(self._buffer)
            etag = self._put("", kind | {"x-ms-blob-type": "BlockBlob"}, self._buffer)
        else:
            self._flush()
            self._settle(0)
            etag = self._put("?comp=blocklist", kind, _block_list(self._head + self._body))
        self.abandon()
        return etag

    def abandon(self) -> None:
        """Forgets all that was not committed; storage does so after a week, or at the next commit."""
        self._stop.set()
        for pool in (self._pool, self._hasher):
            pool.shutdown(wait=False, cancel_futures=True)

    def __enter__(self) -> BlockWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self.abandon()

    def _refuse_if_over(self) -> None:
        if self._stop.is_set():
            raise ValueError(f"could not {self._doing}: it was committed or abandoned already")

    def _flush(self) -> None:
        if self._buffer:
            full, self._buffer = self._buffer, bytearray()
            self._start(self._body, full, self._hasher.submit(self._hash.update, full))

    def _start(self, ids: list[str], block: bytearray, hashed: Future[None] | None = None) -> None:
        if len(self._head) + len(self._body) >= MOST_BLOCKS:
            told = f"could not {self._doing}: it has more than {MOST_BLOCKS} blocks of {self._block} bytes"
            raise RejectedError(told, "write it with larger blocks, or less of it")
        self._settle(self._workers - 1)
        ids.append("known when it is hashed")
        self._pending.add(self._pool.submit(self._stage, ids, len(ids) - 1, block, hashed))

    def _stage(self, ids: list[str], place: int, block: bytearray, hashed: Future[None] | None) -> None:
        digest = _md5(block)
        ids[place] = _block_id("head" if ids is self._head else "body", place, digest)
        self._put(f"?comp=block&blockid={quote(ids[place], safe='')}", {}, block, digest)
        if hashed:
            hashed.result()

    def _settle(self, most: int) -> None:
        """Waits until so many blocks are under way at most."""
        while len(self._pending) > most:
            self._look_at(wait(self._pending, return_when=FIRST_COMPLETED).done)

    def _look_at(self, done: Iterable[Future[None]]) -> None:
        """Raises what went wrong; a failed block stays, and so does every later call."""
        for job in done:
            job.result()
            self._pending.discard(job)

    def _put(self, query: str, headers: dict[str, str], body: bytes | bytearray, digest: bytes = b"") -> str:
        # With a hash of ours Azurite need not make one of its own, which takes it longer than all else.
        checked = headers | {"Content-MD5": b64encode(digest or _md5(body)).decode()}
        return persistently(lambda: self._put_once(query, checked, body), self._stop)

    def _put_once(self, query: str, headers: dict[str, str], body: bytes | bytearray) -> str:
        with call(self._doing, "PUT", self._url + query, headers, 201, body) as answer:
            answer.read()
            return answer.headers.get("ETag", "").strip('"')


def _block_id(kind: str, place: int, digest: bytes) -> str:
    """As long as the SDK's ids: storage refuses blocks of two lengths, also beside what a broken upload left there."""
    return b64encode(f"{kind}{place:012d}{digest.hex()}".encode()).decode()


def _md5(block: bytes | bytearray) -> bytes:
    return hashlib.md5(block, usedforsecurity=False).digest()


def _block_list(block_ids: list[str]) -> bytes:
    listed = "".join(f"<Latest>{block_id}</Latest>" for block_id in block_ids)
    return f'<?xml version="1.0" encoding="utf-8"?><BlockList>{listed}</BlockList>'.encode()
