"""A dropped file, from storage to its snapshot, against the two things that bound it: the check and the upload.

The validate step downloads, checks and writes the snapshot in one pass. It is held against the check of the same bytes
on this machine, up to the rate at which storage takes an upload of that size.
"""

from __future__ import annotations

import time
from statistics import median

from bench import datasets
from bench.row import Row, middle

MEGABYTES = 200
ROUNDS = 3
NAME = "bench-dropped"


def measure() -> Row:
    """Return the validate step's rate as a share of the lower bound."""
    path = datasets.data(MEGABYTES)
    rounds = [_round(number) for number in range(ROUNDS)]
    shares = [dropped / min(0.8 * checked, uploaded) for dropped, checked, uploaded in rounds]
    dropped, checked, uploaded = (median(column) for column in zip(*rounds, strict=True))
    note = (
        f"{path.stat().st_size / 1e6:.0f} MB: {dropped:.0f} MB/s, checked here {checked:.0f}, uploaded {uploaded:.0f}"
    )
    return middle("dropped file → snapshot, of 0.8 × check or upload", 1, "×", shares, note, at_least=True)


def _round(number: int) -> tuple[float, float, float]:
    """Return MB a second of the dropped file, of the check alone, of the upload alone."""
    from shared.azure.blobs import Container
    from shared.datasets.check import check
    from shared.datasets.sources import Local
    from shared.lifecycle import snapshots
    from shared.lifecycle.uploads import Blob

    path, uploads = datasets.data(MEGABYTES), Container("datasets")
    size = path.stat().st_size
    began = time.monotonic()
    with path.open("rb") as file:
        uploads.write_file(f"{NAME}/{number}.bin", file)
    uploaded = time.monotonic()
    check({"dataset": Local(path)})
    checked = time.monotonic()
    found = uploads.properties(f"{NAME}/{number}.bin")
    assert found is not None
    blob = Blob(f"{NAME}/{number}.bin", found.etag, size)
    with snapshots.Snapshot(f"{NAME}/{number}") as snapshot:
        verdict = check({"dataset": blob}, sink=snapshot.begin)
        snapshot.commit(verdict.counts)
    done = time.monotonic()
    _clean(number)
    megabytes = size / 1e6
    return megabytes / (done - checked), megabytes / (checked - uploaded), megabytes / (uploaded - began)


def _clean(number: int) -> None:
    from shared.azure.blobs import Container

    Container("datasets").delete(f"{NAME}/{number}.bin")
    for blob in Container("snapshots").list(f"{NAME}/{number}"):
        Container("snapshots").delete(blob.path)
