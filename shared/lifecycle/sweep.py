"""The hourly look at all uploads: which of them have no record, because their event was lost."""

from __future__ import annotations

from datetime import datetime, timedelta

from shared.azure.blobs import Container
from shared.azure.seen import Listed
from shared.datasets.paths import place
from shared.errors import ServiceError
from shared.lifecycle.uploads import newest_of
from shared.runs import identity, store, work
from shared.settings import settings

SWEPT = "_sweep"
SHORTLY = timedelta(minutes=10)


def is_due() -> bool:
    """Whether the last sweep is long ago, by the storage's clock; it is noted that one begins now."""
    last = store.ACTIVE.properties(SWEPT)
    if last is not None and (store.ACTIVE.now() - last.modified).total_seconds() < settings().sweep:
        return False
    store.ACTIVE.write(SWEPT, b"")
    return True


def sweep() -> int:
    """Begins what has no record or whose neighbours changed; two listings, of 5,000 blobs a page."""
    from shared.lifecycle.intake import look_at_folder

    names = _astray(Container("datasets").list(), store.written("upload"), store.ACTIVE.now())
    for name in names:
        try:
            look_at_folder(name)
        except ServiceError:
            work.look_at("folder", name)  # the others must not wait for this one
    return len(names)


def _astray(blobs: list[Listed], written: dict[str, datetime], present: datetime) -> list[str]:
    """The folders that hold something that no record knows of."""
    folders: dict[str, list[tuple[str, Listed]]] = {}
    for blob in blobs:
        if (where := place(blob.path)) is not None:
            folders.setdefault(where.name, []).append((where.role, blob))
    return sorted(name for name, found in folders.items() if _is_astray(name, found, written, present))


def _is_astray(name: str, found: list[tuple[str, Listed]], written: dict[str, datetime], present: datetime) -> bool:
    datasets = [blob for role, blob in found if role == "dataset"]
    records = [written.get(identity.upload_key(name, blob.path, blob.etag)) for blob in datasets]
    newest = newest_of(datasets)
    if newest is None or None in records:
        return newest is not None
    last = written[identity.upload_key(name, newest.path, newest.etag)]
    beside = max((blob.modified for role, blob in found if role != "dataset"), default=None)
    if beside is None:
        return False
    # What was written shortly before the verdict may have come too late for it; an old one was looked at by now.
    recent = last > present - timedelta(seconds=2 * settings().sweep)
    return beside > last or (recent and beside > last - SHORTLY)
