"""The simulation's fakes and the real thing (Azurite, our emulator, the SDKs) answer the same: one test for both."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from storage_rig import azure_ml_beside

from local.box import provision
from shared.azure import queue
from shared.azure.gateways import Outside
from shared.azure.outside import Azure
from shared.errors import ConflictError, NotFoundError, RejectedError
from tests.simulation.faults import Faults
from tests.simulation.kernel import Kernel
from tests.simulation.outside.world import World

pytestmark = pytest.mark.stack
TAGS = {"droptune": "acme"}


@dataclass
class Side:
    """One of the two, and how time passes there."""

    outside: Outside
    passes: Callable[[], None]
    messages: Callable[[], int]

    def until(self, true: Callable[[], bool]) -> None:
        """Waits until something is so."""
        for _ in range(200):
            if true():
                return
            self.passes()
        raise AssertionError("it did not come true")


@pytest.fixture(scope="module", params=["fake", "real"])
def side(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Side]:
    if request.param == "fake":
        kernel = Kernel(1)
        world = World(kernel, Faults(kernel))
        yield Side(world, lambda: kernel.run(kernel.now + 5), lambda: len(world.queue.messages))
        return
    with azure_ml_beside(tmp_path_factory.mktemp("contract") / "home") as config:
        asyncio.run(provision.workspace(config))
        yield Side(Azure(), lambda: time.sleep(0.05), _messages)


def _messages() -> int:
    return int(queue._queue().get_queue_properties().approximate_message_count or 0)


def test_a_blob_is_written_under_its_conditions_only(side: Side) -> None:
    blobs = side.outside.blobs
    first = blobs.write("runs", "a.json", b"1", if_match=None, create=True, content_type="")
    with pytest.raises(ConflictError):
        blobs.write("runs", "a.json", b"2", if_match=None, create=True, content_type="")
    second = blobs.write("runs", "a.json", b"2", if_match=first, create=False, content_type="")
    assert second != first
    with pytest.raises(ConflictError):
        blobs.write("runs", "a.json", b"3", if_match=first, create=False, content_type="")
    with pytest.raises(ConflictError):
        blobs.write("runs", "none.json", b"3", if_match=first, create=False, content_type="")
    assert blobs.read("runs", "a.json", None) == (b"2", second)


def test_what_is_not_there_is_told_as_the_gateways_tell_it(side: Side) -> None:
    blobs = side.outside.blobs
    with pytest.raises(NotFoundError):
        blobs.read("runs", "nothing.json", None)
    assert blobs.properties("runs", "nothing.json") is None
    blobs.delete("runs", "nothing.json", None)
    with pytest.raises(NotFoundError):
        list(blobs.stream("runs", "nothing.json", "0x1", 5))


def test_a_delete_may_name_the_version_that_it_means(side: Side) -> None:
    blobs = side.outside.blobs
    first = blobs.write("active", "run/x", b"", if_match=None, create=False, content_type="")
    second = blobs.write("active", "run/x", b"", if_match=None, create=False, content_type="")
    with pytest.raises(ConflictError):
        blobs.delete("active", "run/x", first)
    blobs.delete("active", "run/x", second)
    assert blobs.properties("active", "run/x") is None


def test_a_listing_is_in_order_and_tells_version_size_and_whole_seconds(side: Side) -> None:
    blobs = side.outside.blobs
    etags = {
        path: blobs.write("datasets", path, path.encode(), if_match=None, create=False, content_type="")
        for path in ("f/b", "f/a", "g/a")
    }
    found = blobs.list("datasets", "f")
    assert [(one.path, one.etag, one.size) for one in found] == [("f/a", etags["f/a"], 3), ("f/b", etags["f/b"], 3)]
    assert all(one.modified.microsecond == 0 for one in found)
    assert abs((blobs.now("datasets") - found[0].modified).total_seconds()) < 30


def test_only_the_version_that_was_seen_is_read(side: Side) -> None:
    blobs = side.outside.blobs
    first = blobs.write("datasets", "v/a", b"first", if_match=None, create=False, content_type="")
    assert (
        b"".join(blobs.stream("datasets", "v/a", first, 5))
        == b"first"
        == b"".join(blobs.chunks("datasets", "v/a", first))
    )
    assert blobs.read("datasets", "v/a", 2) == (b"fi", first)
    blobs.write("datasets", "v/a", b"other", if_match=None, create=False, content_type="")
    with pytest.raises(ConflictError):
        list(blobs.stream("datasets", "v/a", first, 5))
    with pytest.raises(ConflictError):
        list(blobs.chunks("datasets", "v/a", first))


def test_a_staged_blob_is_seen_whole_or_not_at_all(side: Side) -> None:
    blobs = side.outside.blobs
    staged = blobs.stage("snapshots", "s/train.jsonl", 4)
    staged.write(b"body of it")
    staged.set_head(b"head ")
    assert blobs.properties("snapshots", "s/train.jsonl") is None
    etag = staged.commit(content_type="application/jsonl")
    assert blobs.read("snapshots", "s/train.jsonl", None) == (b"head body of it", etag)
    assert (staged.bytes_written, len(staged.sha256_body)) == (10, 64)
    left = blobs.stage("snapshots", "s/left.jsonl", 4)
    left.write(b"never committed")
    left.abandon()
    assert blobs.properties("snapshots", "s/left.jsonl") is None


def test_a_message_is_taken(side: Side) -> None:
    before = side.messages()
    side.outside.queue.send('{"kind":"run","id":"x"}', 2.5)
    assert side.messages() == before + 1


def test_jobs_models_and_computes_that_are_not_there(side: Side) -> None:
    assert side.outside.jobs.find("droptune-none-1") is None
    with pytest.raises(NotFoundError):
        side.outside.jobs.cancel("droptune-none-1")
    assert side.outside.models.find("none", "1") is None
    assert side.outside.computes.find("none") is None


def test_a_cluster_comes_up(side: Side) -> None:
    computes = side.outside.computes
    size = next(one for one in computes.sizes() if one.name == "Standard_NC24ads_A100_v4")
    assert (size.cores, size.gpus) == (24, 1)
    computes.start("gpu", size.name, 1, {"droptune": "compute"})
    side.until(lambda: (found := computes.find("gpu")) is not None and found.state == "succeeded")
    assert any(one.family == size.family for one in computes.usages())


def test_an_endpoint_s_way_and_its_refusals(side: Side) -> None:
    online = side.outside.online
    assert online.find("acme-1") is None
    assert online.deployments("acme-1") == []
    online.start("acme-1", "told", TAGS)
    side.until(lambda: (found := online.find("acme-1")) is not None and found.state == "succeeded")
    found = online.find("acme-1")
    assert found is not None
    assert (found.tags["droptune"], found.traffic, [one.name for one in online.all()]) == ("acme", {}, ["acme-1"])
    assert online.key("acme-1")
    assert online.deployment("acme-1", "blue") is None
    with pytest.raises(RejectedError):
        online.set_traffic("acme-1", {"blue": 100}, {})
    online.delete_deployment("acme-1", "blue")
    online.delete("acme-1")
    side.until(lambda: online.find("acme-1") is None)
    online.delete("acme-1")
    with pytest.raises(NotFoundError):
        online.key("acme-1")
    with pytest.raises(NotFoundError):
        online.start_deployment("acme-1", "blue", "azureml:m:1", "Standard_NC24ads_A100_v4", {})


def test_traffic_and_its_mirror_obey_the_same_rules(side: Side) -> None:
    online = side.outside.online
    online.start("acme-2", "told", TAGS)
    side.until(lambda: (found := online.find("acme-2")) is not None and found.state == "succeeded")
    found = online.find("acme-2")
    assert found is not None
    assert found.mirror == {}
    with pytest.raises(RejectedError):
        online.set_traffic("acme-2", {}, {"blue": 20})
    now = side.outside.blobs.now("runs")
    assert online.served("acme-2", now - timedelta(minutes=5), now) == {}
    assert online.failure("") == ("", "")
    online.delete("acme-2")


def test_tags_are_added_to_a_model_that_is_there(side: Side) -> None:
    with pytest.raises(NotFoundError):
        side.outside.models.tag("none", "1", {"a": "b"})
