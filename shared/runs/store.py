"""Loading and saving records: always guarded by the ETag; a marker in `active/` for what is not at rest."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Generic, TypeVar

import msgspec

from shared.azure.blobs import Container
from shared.errors import ConflictError, NotFoundError
from shared.runs.records import CONTAINERS, KINDS, Record, kind_of, rests

RecordT = TypeVar("RecordT", bound=Record)
_READERS = 8


class Loaded(Generic[RecordT]):
    """A record with the ETag that it was read at."""

    def __init__(self, record: RecordT, etag: str) -> None:
        self.record = record
        self.etag = etag


def container(kind: str) -> Container:
    """The container of a kind of record."""
    return Container(CONTAINERS[kind])


def load(kind: str, identity: str) -> Loaded[Any]:
    """Reads a record.

    Raises:
        NotFoundError: there is none.
        msgspec.ValidationError: it is not of a known schema.
    """
    data, etag = container(kind).read(f"{identity}.json")
    return Loaded(msgspec.json.decode(data, type=KINDS[kind]), etag)


def find(kind: str, identity: str) -> Loaded[Any] | None:
    """Reads a record, or None where there is none."""
    try:
        return load(kind, identity)
    except NotFoundError:
        return None


def create(record: RecordT) -> Loaded[RecordT] | None:
    """Writes a new record, marked active first; None where it exists already."""
    kind = kind_of(record)
    mark_active(kind, record.id)
    try:
        etag = container(kind).write(f"{record.id}.json", _encode(record), create=True)
    except ConflictError:
        return None
    return Loaded(record, etag)


def save(loaded: Loaded[RecordT]) -> None:
    """Writes a record over the version that was read; the marker goes after it rests.

    Raises:
        ConflictError: somebody else wrote it meanwhile: read it again and decide anew.
    """
    kind, record = kind_of(loaded.record), loaded.record
    if not rests(record):
        mark_active(kind, record.id)
    loaded.etag = container(kind).write(f"{record.id}.json", _encode(record), if_match=loaded.etag)
    if rests(record):
        Container("active").delete(f"{kind}/{record.id}")


def mark_active(kind: str, identity: str) -> None:
    """Writes the marker by which `reconcile` finds what is not at rest."""
    Container("active").write(f"{kind}/{identity}", b"")


def active() -> list[tuple[str, str]]:
    """Kind and id of everything that is not at rest: one listing, however many records ever were."""
    found = (blob.path.partition("/") for blob in Container("active").list())
    return [(kind, identity) for kind, _, identity in found if kind in KINDS]


def all_of(kind: str, prefix: str = "") -> list[Any]:
    """All records of a kind; one that cannot be read is left out."""
    paths = [blob.path.removesuffix(".json") for blob in container(kind).list(prefix) if blob.path.endswith(".json")]
    with ThreadPoolExecutor(_READERS) as readers:
        return [loaded.record for loaded in readers.map(lambda path: _readable(kind, path), paths) if loaded]


def _readable(kind: str, identity: str) -> Loaded[Any] | None:
    try:
        return find(kind, identity)
    except (msgspec.ValidationError, msgspec.DecodeError):
        return None


def _encode(record: Record) -> bytes:
    return msgspec.json.format(msgspec.json.encode(record), indent=1)
