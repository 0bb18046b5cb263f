"""A dropped file gets the verdict that `droptune check` gives, and its snapshot is seen whole or not at all."""

from __future__ import annotations

import gzip
import hashlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dataset_cases import ERRORS, GOOD, NAMED, TOLD
from folder_sink import judge
from storage_rig import StorageRig, storage_rig

from shared.azure.blobs import Container
from shared.datasets.check import SIDES, check
from shared.datasets.sources import Bytes
from shared.errors import ConflictError, NotFoundError
from shared.lifecycle import snapshots
from shared.lifecycle.uploads import Blob

CASES = {
    **{name: ("chats.jsonl", case[0]) for name, case in (*ERRORS.items(), *TOLD.items())},
    **{f"taken as it is: {name}": case for name, case in NAMED.items()},
    "broken gzip": ("chats.jsonl.gz", gzip.compress(GOOD)[:-20]),
    "an array that breaks off": ("chats.json", NAMED["an array"][1][:-20]),
    "no Parquet": ("chats.parquet", GOOD),
}


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StorageRig]:
    with storage_rig(tmp_path_factory.mktemp("storage")) as started:
        yield started


def put(name: str, data: bytes) -> Blob:
    etag = Container("datasets").write(f"case/{name}", data)
    return Blob(f"case/{name}", etag, len(data))


def snapshot(blob: Blob, where: str) -> tuple[Any, snapshots.Manifest | None]:
    with snapshots.Snapshot(where) as written:
        verdict = check({"dataset": blob}, sink=written.begin)
        return verdict, written.commit(verdict.counts) if verdict.accepted else None


@pytest.mark.parametrize(("name", "data"), CASES.values(), ids=CASES.keys())
def test_a_dropped_file_gets_the_verdict_of_the_command(
    rig: StorageRig, name: str, data: bytes, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    where = "case/" + hashlib.sha256(request.node.name.encode()).hexdigest()
    wanted = judge(Bytes(data, name), tmp_path)
    verdict, manifest = snapshot(put(name, data), where)
    assert verdict == wanted
    stored = Container("snapshots")
    if manifest is None:
        assert stored.list(where) == []
        return
    assert snapshots.find(where) == manifest
    for side in SIDES:
        content = (tmp_path / f"{side}.jsonl").read_bytes()
        assert stored.read(f"{where}/{side}.jsonl")[0] == content
        told = manifest.sides[side]
        assert hashlib.sha256(content[: told.head_bytes]).hexdigest() == told.head_sha256
        assert hashlib.sha256(content[told.head_bytes :]).hexdigest() == told.body_sha256


def test_parquet_is_read_from_storage_in_pieces(rig: StorageRig) -> None:
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    rows = [[{"role": "user", "content": f"q{n}"}, {"role": "assistant", "content": f"a{n}"}] for n in range(40)]
    file = io.BytesIO()
    pq.write_table(pa.table({"messages": rows}), file)
    assert snapshot(put("chats.parquet", file.getvalue()), "case/parquet")[0].accepted


def test_a_file_that_is_overwritten_while_it_is_read_is_read_anew(rig: StorageRig) -> None:
    blob = put("over.jsonl", GOOD)
    put("over.jsonl", GOOD + GOOD)
    with pytest.raises(ConflictError):
        snapshot(blob, "case/over")
    assert Container("snapshots").list("case/over") == []


def test_a_file_that_is_deleted_while_it_is_read_is_not_found(rig: StorageRig) -> None:
    blob = put("gone.jsonl", GOOD)
    Container("datasets").delete("case/gone.jsonl")
    with pytest.raises(NotFoundError):
        snapshot(blob, "case/gone")


def test_the_same_dropped_twice_is_the_same_snapshot(rig: StorageRig) -> None:
    first, second = snapshot(put("one.jsonl", GOOD), "case/one"), snapshot(put("two.jsonl", GOOD), "case/two")
    assert first == second
