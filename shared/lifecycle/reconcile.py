"""What should be true now, asked of everything that is not at rest: events only make it faster."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

from shared.azure.blobs import Container
from shared.datasets.paths import is_dataset, place
from shared.runs import store, work
from shared.runs.records import moment
from shared.settings import settings

log = logging.getLogger("droptune")
OVERDUE_SECONDS = 30.0
SWEPT = "_sweep"


def reconcile() -> int:
    """Asks for a look at what is active and whose message is overdue; returns how many. One listing, however many ever ran."""
    count = 0
    present = datetime.now(UTC)
    for kind, identity in store.active():
        try:
            count += _reconcile_one(kind, identity, present)
        except Exception:
            log.exception("cannot reconcile %s %s", kind, identity)
    if _sweep_is_due(present):
        count += sweep()
    return count


def _reconcile_one(kind: str, identity: str, present: datetime) -> int:
    loaded = store.find(kind, identity)
    if loaded is None or (kind == "endpoint" and loaded.record.state == "awake"):
        return 0  # awake endpoints are idle_teardown's
    due = loaded.record.next_look
    if due and moment(due) + timedelta(seconds=OVERDUE_SECONDS) > present:
        return 0
    work.look_at(kind, identity)
    return 1


def _sweep_is_due(present: datetime) -> bool:
    last = Container("active").properties(SWEPT)
    if last is not None and (present - last.modified).total_seconds() < settings().sweep:
        return False
    Container("active").write(SWEPT, b"")
    return True


def sweep() -> int:
    """Asks for a look at every folder with a dataset that has no record: its event was lost."""
    blobs = [blob for blob in Container("datasets").list() if is_dataset(blob.path)]
    known = {(record.path, record.etag) for record in store.all_of("upload")}
    names = {place(blob.path).name for blob in blobs if (blob.path, blob.etag) not in known}  # type: ignore[union-attr]
    for name in sorted(names):
        work.look_at("folder", name)
    return len(names)


def look_at_awake() -> int:
    """Asks for a look at every endpoint that is awake, or on its way: idle ones fall asleep."""
    names = [identity for kind, identity in store.active() if kind == "endpoint"]
    for name in names:
        work.look_at("endpoint", name)
    return len(names)
