"""The hourly look at all uploads: which of them have no record, because their event was lost."""

from __future__ import annotations

from shared.azure.blobs import Container
from shared.datasets.paths import place
from shared.errors import ServiceError
from shared.runs import identity, store, work
from shared.settings import settings

SWEPT = "_sweep"


def is_due() -> bool:
    """Whether the last sweep is long ago, by the storage's clock; it is noted that one begins now."""
    last = store.ACTIVE.properties(SWEPT)
    if last is not None and (store.ACTIVE.now() - last.modified).total_seconds() < settings().sweep:
        return False
    store.ACTIVE.write(SWEPT, b"")
    return True


def sweep() -> int:
    """Begins what has no record; two listings, of 5,000 blobs a page."""
    from shared.lifecycle.intake import look_at_folder

    known = store.names("upload")
    names = {
        where.name
        for blob in Container("datasets").list()
        if (where := place(blob.path)) is not None
        and where.role == "dataset"
        and identity.upload_key(where.name, blob.path, blob.etag) not in known
    }
    for name in sorted(names):
        try:
            look_at_folder(name)
        except ServiceError:
            work.look_at("folder", name)  # the others must not wait for this one
    return len(names)
