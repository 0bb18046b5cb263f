"""Ranges and blocks against the box's own storage and identity, with a relay between that breaks calls."""

import hashlib
import io
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from faulty_proxy import Fault, FaultyProxy
from storage_rig import StorageRig, exported, storage_rig

from shared.azure import staging, wire
from shared.azure.blobs import Container
from shared.azure.credential import credential
from shared.azure.ranges import RangeFile, stream
from shared.azure.staging import BlockWriter
from shared.azure.storage import container_client
from shared.errors import ConflictError, DeniedError, NotFoundError, RejectedError, ServiceError, TransientError

pytestmark = pytest.mark.stack
UPLOADS = "uploads"
PATH = "a b/ä #1%41.jsonl"
KIB, MIB = 1024, 1024 * 1024


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StorageRig]:
    with storage_rig(tmp_path_factory.mktemp("transport")) as running:
        yield running


@pytest.fixture
def uploads(rig: StorageRig) -> Container:
    return Container(UPLOADS)


@pytest.fixture
def proxy(rig: StorageRig) -> Iterator[FaultyProxy]:
    """What the app calls in place of storage."""
    ca = rig.config.ca
    upstream = rig.config.url("blob").rpartition("/")
    made = FaultyProxy(upstream[0], str(ca / "server.pem"), str(ca / "server.key"), str(ca / "bundle.pem"))
    try:
        with exported({"AZURE_STORAGE_ACCOUNT_URL": f"{made.url}/{upstream[2]}"}):
            yield made
    finally:
        made.close()


@pytest.fixture
def short_time_outs(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(wire, "READ_SECONDS", 0.5)
    wire._connections.cache_clear()
    yield
    wire._connections.cache_clear()


def noise(size: int, seed: int = 5) -> bytes:
    return random.Random(seed).randbytes(size)


def read(etag: str, size: int, **options: int) -> bytes:
    return b"".join(stream(UPLOADS, PATH, etag, size, **options))


def threads(name: str) -> list[str]:
    return [one.name for one in threading.enumerate() if one.name.startswith(name)]


def until_none(name: str) -> None:
    ends = time.monotonic() + 5
    while threads(name):
        assert time.monotonic() < ends, threads(name)
        time.sleep(0.02)


@pytest.mark.parametrize("seed", range(12))
def test_the_bytes_come_in_order_at_any_size_of_blob_and_part(uploads: Container, seed: int) -> None:
    dice = random.Random(seed)
    size = dice.choice([0, 1, MIB - 1, MIB, MIB + 1, dice.randrange(6 * MIB)])
    part, workers, start = dice.choice([300 * KIB, MIB, 5 * MIB + 7]), dice.randint(1, 5), dice.randint(0, size)
    data = noise(size, seed)
    etag = uploads.write(PATH, data)
    pieces = list(stream(UPLOADS, PATH, etag, size, start=start, workers=workers, part=part))
    assert b"".join(pieces) == data[start:]
    assert all(0 < len(piece) <= MIB for piece in pieces)


@pytest.mark.parametrize("size", [3 * MIB, 10], ids=["as long", "shorter"])
def test_a_blob_that_is_overwritten_meanwhile_is_a_conflict(uploads: Container, size: int) -> None:
    etag = uploads.write(PATH, noise(3 * MIB))
    pieces = stream(UPLOADS, PATH, etag, 3 * MIB, workers=1, part=256 * KIB)
    next(pieces)
    uploads.write(PATH, noise(size, 6))
    with pytest.raises(ConflictError, match=r"could not read uploads/a b/ä") as found:
        list(pieces)
    assert found.value.status == 412
    until_none("blob-range")


def test_a_blob_that_is_deleted_meanwhile_is_not_found(uploads: Container) -> None:
    etag = uploads.write(PATH, noise(3 * MIB))
    pieces = stream(UPLOADS, PATH, etag, 3 * MIB, workers=1, part=256 * KIB)
    next(pieces)
    uploads.delete(PATH)
    with pytest.raises(NotFoundError, match=r"could not read uploads/a b/ä #1%41.jsonl: BlobNotFound"):
        list(pieces)


@pytest.mark.parametrize("kind", ["cut", "reset", "silence", "401", "408", "429", "500", "502", "503", "504"])
def test_a_range_that_breaks_is_read_again(
    uploads: Container, proxy: FaultyProxy, short_time_outs: None, kind: str
) -> None:
    data = noise(6 * MIB)
    etag = uploads.write(PATH, data)
    proxy.faults = [Fault(kind)]
    assert read(etag, len(data), workers=2, part=4 * MIB) == data
    assert proxy.fired == [kind]


def test_a_broken_range_goes_on_where_it_broke(uploads: Container, proxy: FaultyProxy) -> None:
    data = noise(4 * MIB)
    etag = uploads.write(PATH, data)
    proxy.seen.clear()
    proxy.faults = [Fault("cut", times=2)]
    assert read(etag, len(data), part=4 * MIB) == data
    begins = [int(re.findall(r"\d+", one["x-ms-range"])[0]) for one in proxy.seen]
    assert begins == [0, 2 * MIB, 3 * MIB]
    assert {one["if-match"] for one in proxy.seen} == {f'"{etag}"'}
    assert len({one["x-ms-client-request-id"] for one in proxy.seen}) == 3


def test_the_pause_that_storage_asks_for_is_kept(uploads: Container, proxy: FaultyProxy) -> None:
    etag = uploads.write(PATH, b"12345")
    proxy.faults = [Fault("503", headers={"Retry-After": "1"})]
    began = time.monotonic()
    assert read(etag, 5) == b"12345"
    assert 1 <= time.monotonic() - began < 3
    assert proxy.fired == ["503"]


def test_a_pause_of_minutes_is_the_callers(uploads: Container, proxy: FaultyProxy) -> None:
    etag = uploads.write(PATH, b"12345")
    proxy.faults = [Fault("429", headers={"Retry-After": "120"})]
    with pytest.raises(TransientError, match="as told") as found:
        read(etag, 5)
    assert (found.value.retry_after, found.value.status, proxy.fired) == (120, 429, ["429"])


def test_a_small_blob_that_is_cut_off_each_time_is_no_refusal(uploads: Container, proxy: FaultyProxy) -> None:
    """Chaos, seed 7: the SDK tells of it as of a refusal, and a run had ended by it."""
    uploads.write(PATH, noise(3000))
    proxy.faults = [Fault("cut", times=99)]
    with pytest.raises(TransientError, match="IncompleteRead"):
        uploads.read(PATH)
    assert len(proxy.fired) > 1


@pytest.mark.parametrize(("kind", "error", "tries"), [("503", TransientError, 4), ("401", DeniedError, 2)])
def test_what_does_not_pass_is_given_up(
    uploads: Container, proxy: FaultyProxy, kind: str, error: type[ServiceError], tries: int
) -> None:
    etag = uploads.write(PATH, b"12345")
    proxy.faults = [Fault(kind, times=9)]
    with pytest.raises(error):
        read(etag, 5)
    assert proxy.fired == [kind] * tries


def test_a_refused_token_is_fetched_anew(uploads: Container, proxy: FaultyProxy) -> None:
    """The identity endpoint keeps its tokens as well, so that the new one may look like the old."""
    etag, refused = uploads.write(PATH, b"12345"), credential()
    proxy.faults = [Fault("401")]
    assert read(etag, 5) == b"12345"
    assert credential() is not refused
    assert proxy.fired == ["401"]


def test_a_closed_stream_ends_its_threads(uploads: Container) -> None:
    etag = uploads.write(PATH, noise(8 * MIB))
    with closing(stream(UPLOADS, PATH, etag, 8 * MIB, part=256 * KIB)) as pieces:  # type: ignore[type-var]
        next(pieces)
        assert threads("blob-range")
    until_none("blob-range")


def test_an_abandoned_wait_for_a_retry_ends_at_once(uploads: Container, proxy: FaultyProxy) -> None:
    etag = uploads.write(PATH, noise(2 * MIB))
    later = Fault("503", 9, lambda _, headers: headers.get("x-ms-range", "").endswith("2097151"), {"Retry-After": "20"})
    proxy.faults = [later]
    with closing(stream(UPLOADS, PATH, etag, 2 * MIB, part=MIB)) as pieces:  # type: ignore[type-var]
        next(pieces)
        while not proxy.fired:
            time.sleep(0.01)
    until_none("blob-range")


def test_a_range_file_reads_as_any_file_does(uploads: Container) -> None:
    data = noise(20 * MIB)
    etag, dice = uploads.write(PATH, data), random.Random(7)
    with RangeFile(UPLOADS, PATH, etag, len(data)) as ours, io.BytesIO(data) as theirs:
        for _ in range(60):
            place, whence = dice.choice([(dice.randrange(len(data) + 99), 0), (-dice.randrange(99), 2), (7, 1)])
            assert ours.seek(place, whence) == theirs.seek(place, whence)
            count = dice.choice([0, 1, 8, 5000, MIB, 3 * MIB])
            assert ours.read(count) == theirs.read(count)
            assert ours.tell() == theirs.tell()
        ours.seek(1)
        assert ours.readall() == data[1:]
        with pytest.raises(ValueError, match="before the beginning"):
            ours.seek(-1)


def test_small_reads_of_a_range_file_are_one_call(uploads: Container, proxy: FaultyProxy) -> None:
    data = noise(2 * MIB)
    etag = uploads.write(PATH, data)
    proxy.seen.clear()
    buffered = io.BufferedReader(RangeFile(UPLOADS, PATH, etag, len(data)))
    assert b"".join(buffered.read(1000) for _ in range(1000)) == data[: 1000 * 1000]
    assert len(proxy.seen) == 1


def test_a_parquet_file_is_read_from_storage(uploads: Container) -> None:
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    table, file = arrow.table({"text": [noise(900, seed).hex() for seed in range(4000)]}), io.BytesIO()
    parquet.write_table(table, file, row_group_size=500)
    etag = uploads.write(PATH, file.getvalue())
    read_back = parquet.ParquetFile(RangeFile(UPLOADS, PATH, etag, len(file.getvalue())))
    assert read_back.num_row_groups == 8
    assert read_back.read().equals(table)


def test_a_range_file_of_an_overwritten_blob_is_a_conflict(uploads: Container) -> None:
    etag = uploads.write(PATH, b"12345")
    uploads.write(PATH, b"54321")
    with pytest.raises(ConflictError):
        RangeFile(UPLOADS, PATH, etag, 5).read()


@pytest.mark.parametrize("size", [0, 1, 64 * KIB, 64 * KIB + 1, 1_000_003])
@pytest.mark.parametrize("head", [b"", b"the head", b"h" * 150 * KIB], ids=["no head", "head", "long head"])
def test_what_is_written_is_read_with_the_head_first(uploads: Container, size: int, head: bytes) -> None:
    data, dice = noise(size), random.Random(size)
    uploads.delete(PATH)
    with BlockWriter(UPLOADS, PATH, block=64 * KIB) as writer:
        rest = memoryview(data)
        while rest:
            count = dice.randint(1, 200 * KIB)
            writer.write(rest[:count])
            rest = rest[count:]
        writer.set_head(b"an earlier head, longer or shorter" * 9)
        writer.set_head(head)
        assert uploads.properties(PATH) is None
        etag = writer.commit(content_type="application/jsonl")
    assert uploads.read(PATH) == (head + data, etag)
    assert (writer.bytes_written, writer.sha256_body) == (size, hashlib.sha256(data).hexdigest())
    kind = container_client(uploads.name).get_blob_client(PATH).get_blob_properties().content_settings.content_type
    assert kind == "application/jsonl"


def test_a_commit_replaces_what_was_there_and_nothing_does_before(uploads: Container) -> None:
    etag = uploads.write(PATH, b"before")
    with BlockWriter(UPLOADS, PATH, block=1000) as writer:
        writer.write(noise(5000))
        assert uploads.read(PATH) == (b"before", etag)
        writer.commit()
    assert uploads.read(PATH)[0] == noise(5000)


def test_a_writer_that_is_left_without_commit_leaves_nothing(uploads: Container) -> None:
    uploads.delete(PATH)
    with pytest.raises(ZeroDivisionError), BlockWriter(UPLOADS, PATH, block=1000) as writer:
        writer.write(noise(5000))
        raise ZeroDivisionError
    until_none("blob-")
    assert uploads.properties(PATH) is None


WRITE_AND_WAIT = """
import sys, time
from shared.azure.staging import BlockWriter
writer = BlockWriter("uploads", "killed", block=1024 * 1024)
writer.write(b"k" * 5 * 1024 * 1024)
writer.set_head(b"head")
print("written", flush=True)
time.sleep(60)
"""


def test_a_writer_that_is_killed_leaves_nothing_and_is_in_nobodys_way(uploads: Container) -> None:
    child = subprocess.Popen([sys.executable, "-c", WRITE_AND_WAIT], stdout=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stdout.readline() == b"written\n"
    child.send_signal(signal.SIGKILL)
    child.wait(5)
    child.stdout.close()
    assert uploads.properties("killed") is None
    with BlockWriter(UPLOADS, "killed", block=1000) as writer:
        writer.write(noise(2500))
        writer.commit()
    assert uploads.read("killed")[0] == noise(2500)


def test_blocks_of_a_broken_upload_by_the_sdk_are_in_nobodys_way(uploads: Container) -> None:
    uploads.delete(PATH)
    container_client(uploads.name).get_blob_client(PATH).stage_block("7" * 48, b"left over")
    with BlockWriter(UPLOADS, PATH, block=1000) as writer:
        writer.write(noise(2500))
        writer.commit()
    assert uploads.read(PATH)[0] == noise(2500)


def test_two_writers_of_one_path_do_not_mix_their_blocks(uploads: Container) -> None:
    with BlockWriter(UPLOADS, PATH, block=1000) as first, BlockWriter(UPLOADS, PATH, block=1000) as second:
        for at in range(0, 4000, 500):
            first.write(noise(4000, 1)[at : at + 500])
            second.write(noise(4000, 2)[at : at + 500])
        first.commit()
        assert uploads.read(PATH)[0] == noise(4000, 1)
        with pytest.raises(RejectedError, match="block list"):
            second.commit()
    assert uploads.read(PATH)[0] == noise(4000, 1)


def test_blocks_that_are_all_alike_keep_their_number(uploads: Container) -> None:
    with BlockWriter(UPLOADS, PATH, block=1000) as writer:
        writer.write(b"x" * 5000)
        writer.set_head(b"x" * 1000)
        writer.commit()
    assert uploads.read(PATH)[0] == b"x" * 6000


def test_two_writers_of_the_same_content_both_succeed(uploads: Container) -> None:
    with BlockWriter(UPLOADS, PATH, block=1000) as first, BlockWriter(UPLOADS, PATH, block=1000) as second:
        for writer in (first, second):
            writer.write(noise(4000))
            writer.set_head(b"head")
        assert first.commit()
        assert second.commit()
    assert uploads.read(PATH)[0] == b"head" + noise(4000)


@pytest.mark.parametrize("kind", ["reset", "401", "503"])
def test_a_block_that_breaks_is_put_again(uploads: Container, proxy: FaultyProxy, kind: str) -> None:
    proxy.faults = [Fault(kind, 3 if kind == "503" else 1, lambda method, _: method == "PUT")]
    with BlockWriter(UPLOADS, PATH, block=MIB) as writer:
        writer.write(noise(3 * MIB + 1))
        writer.commit()
    assert set(proxy.fired) == {kind}
    assert uploads.read(PATH)[0] == noise(3 * MIB + 1)


def test_a_commit_whose_answer_is_lost_is_made_again(uploads: Container, proxy: FaultyProxy) -> None:
    proxy.faults = [Fault("reset", 1, lambda method, headers: "x-ms-blob-content-type" in headers)]
    with BlockWriter(UPLOADS, PATH, block=1000) as writer:
        writer.write(noise(2500))
        etag = writer.commit(content_type="text/plain")
    assert proxy.fired == ["reset"]
    assert uploads.read(PATH) == (noise(2500), etag)


def test_an_error_in_the_background_is_raised_by_the_next_calls(uploads: Container, proxy: FaultyProxy) -> None:
    uploads.delete(PATH)
    proxy.faults = [Fault("400", 1, lambda method, _: method == "PUT")]
    with BlockWriter(UPLOADS, PATH, block=1000, workers=2) as writer:
        writer.write(noise(1000))
        while not all(job.done() for job in writer._pending):
            time.sleep(0.01)
        for _ in range(2):
            with pytest.raises(RejectedError, match=r"could not write uploads/a b/ä #1%41.jsonl: as told"):
                writer.write(b"more")
        with pytest.raises(RejectedError):
            writer.commit()
    assert proxy.fired == ["400"]
    assert uploads.properties(PATH) is None


def test_a_block_that_is_changed_on_its_way_is_refused(uploads: Container, proxy: FaultyProxy) -> None:
    uploads.delete(PATH)
    proxy.faults = [Fault("flip", 1, lambda method, _: method == "PUT")]
    with BlockWriter(UPLOADS, PATH, block=1000) as writer, pytest.raises(RejectedError, match="MD5"):
        writer.write(noise(2500))
        writer.commit()
    assert proxy.fired == ["flip"]
    assert uploads.properties(PATH) is None


def test_a_writer_takes_nothing_after_its_end(uploads: Container) -> None:
    writer = BlockWriter(UPLOADS, PATH)
    writer.write(b"all")
    writer.commit()
    for late in (lambda: writer.write(b"more"), lambda: writer.set_head(b"head"), writer.commit):
        with pytest.raises(ValueError, match="committed or abandoned already"):
            late()
    assert uploads.read(PATH)[0] == b"all"


def test_too_many_blocks_are_refused_with_a_mend(uploads: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staging, "MOST_BLOCKS", 3)
    with BlockWriter(UPLOADS, PATH, block=10) as writer:
        writer.set_head(b"head")
        with pytest.raises(RejectedError, match="more than 3 blocks of 10 bytes") as found:
            writer.write(noise(100))
    assert "larger blocks" in found.value.fix
    with pytest.raises(ValueError, match="storage takes"):
        BlockWriter(UPLOADS, PATH, block=4001 * MIB)


COPY = """
import sys
from pathlib import Path
from shared.azure.ranges import stream
from shared.azure.staging import BlockWriter

def peak():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024

etag, size = sys.argv[1], int(sys.argv[2])
def copy(limit):
    with BlockWriter("uploads", "copied") as writer:
        for piece in stream("uploads", "large", etag, limit):
            writer.write(piece)
        writer.commit()
    return writer.sha256_body

copy(1)
before = peak()
print(copy(size), peak() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="reads /proc")
def test_memory_is_bounded_by_the_parts_and_blocks_in_flight(uploads: Container) -> None:
    """300 MB are read and written at once in at most 5 parts and 3 blocks of 8 MiB; the allocator keeps half of that again (93 MB seen)."""
    block = noise(MIB)
    with BlockWriter(UPLOADS, "large", workers=4) as writer:
        for number in range(300):
            writer.write(number.to_bytes(4, "big") + block[4:])
        etag = writer.commit()
    command = [sys.executable, "-c", COPY, etag, str(300 * MIB)]
    found = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True, env=dict(os.environ))
    digest, grown = found.stdout.split()
    assert digest == writer.sha256_body
    assert float(grown) < 8 * 8 * 2
