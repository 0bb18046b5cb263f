"""What an event or the sweep says of a blob: a folder has something new. The truth is read from the folder."""

from __future__ import annotations

from shared.azure.blobs import Container
from shared.azure.outside import outside
from shared.azure.seen import Listed
from shared.datasets.paths import place
from shared.errors import UnreadableError
from shared.lifecycle import problems
from shared.lifecycle.uploads import companions, folder, newest_of
from shared.runs import identity, store, work
from shared.runs.records import Moment, Upload, now, rests, stamp


def blob_created(path: str) -> bool:
    """Asks for a look at the folder of a blob; False where the blob is nothing of a dataset (a report, another file)."""
    where = place(path)
    if where is None:
        return False
    work.look_at("folder", where.name)
    return True


def look_at_folder(name: str) -> None:
    """Begins each dataset of a folder that is new, and the newest again where something else lies beside it.

    Two listings and one record, however many files the folder has: a thousand dropped at once ask a thousand times.
    """
    blobs = folder(name)
    beside = companions(blobs)
    datasets = [blob for blob in blobs if (where := place(blob.path)) and where.role == "dataset"]
    newest, known = newest_of(datasets), store.written("upload", f"{name}~")
    for blob in datasets:
        key = identity.upload_key(name, blob.path, blob.etag)
        if key not in known:
            _begin(key, name, blob, beside)
        elif blob == newest:
            _look_again(key, beside)


def _look_again(key: str, beside: dict[str, str]) -> None:
    try:
        found = store.find("upload", key)
    except UnreadableError as error:
        problems.note("upload", key, error.reason, error.fix)
        return
    if found is not None and not rests(found.record):
        work.look_at("upload", key)
    elif found is not None and found.record.companions != beside:
        _begin_again(found, beside)


def _begin(key: str, name: str, blob: Listed, beside: dict[str, str]) -> None:
    upload = Upload(
        id=key,
        name=name,
        state="received",
        created=stamp(blob.modified),
        path=blob.path,
        etag=blob.etag,
        companions=beside,
        next_look=now(),
        timeline=[Moment("received", now())],
    )
    if store.create(upload) is not None:
        work.follow(upload)
        outside().warm()


def _begin_again(found: store.Loaded[Upload], beside: dict[str, str]) -> None:
    found.record.companions = beside
    found.record.enter("received", "what lies beside it changed")
    found.record.wait()
    store.save(found)
    work.follow(found.record)


def job_changed(job: str) -> bool:
    """Asks for a look at the run of a job; False where the job is none of ours (a step, or somebody else's)."""
    run = identity.run_of_job(job)
    if run is None or Container("runs").properties(f"{run}.json") is None:
        return False
    work.look_at("run", run)
    return True
