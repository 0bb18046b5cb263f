"""Loading and saving records: always guarded by the ETag; a marker in `active/` for what is not at rest.

A marker is written before the record that needs it. It is taken away by `reconcile` alone, once the record rests and the
marker is older than any function can live: so no writer can lose it to another's late delete.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Generic, TypeVar

import msgspec

from shared.azure.blobs import Container
from shared.azure.outside import outside
from shared.azure.seen import Listed
from shared.errors import ConflictError, LostRaceError, NotFoundError, UnreadableError
from shared.runs.records import CONTAINERS, KINDS, SCHEMA, Record, kind_of, rests

RecordT = TypeVar("RecordT", bound=Record)
ACTIVE = Container("active")


class Loaded(Generic[RecordT]):
    """A record with the ETag that it was read at, its state then, and whether it rested."""

    def __init__(self, record: RecordT, etag: str) -> None:
        self.record = record
        self.etag = etag
        self.rested, self.state = rests(record), record.state


def container(kind: str) -> Container:
    """The container of a kind of record."""
    return Container(CONTAINERS[kind])


def load(kind: str, identity: str) -> Loaded[Any]:
    """Reads a record.

    Raises:
        NotFoundError: there is none.
        UnreadableError: it is not of a known schema.
    """
    data, etag = container(kind).read(f"{identity}.json")
    return Loaded(_decode(kind, identity, data), etag)


def _decode(kind: str, identity: str, data: bytes) -> Any:
    try:
        record = msgspec.json.decode(data, type=KINDS[kind])
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        told = f"the record {CONTAINERS[kind]}/{identity}.json cannot be read: {str(error)[:200]}"
        raise UnreadableError(told, "restore the blob's earlier version, or delete it") from error
    if record.schema > SCHEMA:
        told = f"the record {CONTAINERS[kind]}/{identity}.json is of schema {record.schema}, newer than {SCHEMA}"
        raise UnreadableError(told, "deploy the newer droptune again")
    record.schema = SCHEMA
    return record


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
    """Writes a record over the version that was read; one that leaves its rest is marked before and after.

    Raises:
        LostRaceError: somebody else wrote it meanwhile: read it again and decide anew.
    """
    kind, record = kind_of(loaded.record), loaded.record
    wakes = loaded.rested and (record.state != loaded.state or not rests(record))
    if wakes:
        mark_active(kind, record.id)
    try:
        loaded.etag = container(kind).write(f"{record.id}.json", _encode(record), if_match=loaded.etag)
    except ConflictError as error:
        lost = LostRaceError(error.reason, status=error.status)
        lost.subject = (kind, record.id)
        raise lost from error
    loaded.rested, loaded.state = rests(record), record.state
    if wakes:
        mark_active(kind, record.id)


def mark_active(kind: str, identity: str) -> None:
    """Writes the marker by which `reconcile` finds what is not at rest."""
    ACTIVE.write(f"{kind}/{identity}", b"")


def unmark(marker: Listed) -> None:
    """Takes a marker away, unless it was written anew since it was listed."""
    ACTIVE.delete(marker.path, if_match=marker.etag)


def active() -> list[tuple[str, str, Listed]]:
    """Kind, id and marker of everything that is not at rest: one listing, however many records ever were."""
    found = ((*blob.path.partition("/"), blob) for blob in ACTIVE.list())
    return [(kind, identity, blob) for kind, _, identity, blob in found if kind in KINDS]


def all_of(kind: str, prefix: str = "") -> list[Any]:
    """All records of a kind; one that cannot be read is left out (`unreadable` names it)."""
    paths = [blob.path.removesuffix(".json") for blob in container(kind).list(prefix) if blob.path.endswith(".json")]
    paths = [path for path in paths if "/" not in path]
    return [found for found in outside().gather(lambda path: _readable(kind, path), paths) if found is not None]


def _readable(kind: str, identity: str) -> Any:
    try:
        return load(kind, identity).record
    except (NotFoundError, UnreadableError):
        return None


def is_listed(kind: str, identity: str) -> bool:
    """Whether the listing shows a record: a second witness, before what could not be read is taken for gone."""
    return any(blob.path == f"{identity}.json" for blob in container(kind).list(f"{identity}.json"))


def written(kind: str, prefix: str = "") -> dict[str, datetime]:
    """When each record of a kind whose id begins so was last written, by its id: a page of listing for 5,000."""
    listed = container(kind).list(prefix)
    return {blob.path.removesuffix(".json"): blob.modified for blob in listed if blob.path.endswith(".json")}


def _encode(record: Record) -> bytes:
    return msgspec.json.format(msgspec.json.encode(record), indent=1)
