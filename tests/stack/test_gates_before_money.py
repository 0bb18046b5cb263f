"""Quota, sizes and slots against the real services: the emulator through the real SDK, the blob in the real Azurite."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from storage_rig import azure_ml_beside

from local.box.config import BoxConfig
from shared.azure import ml
from shared.azure.outside import outside
from shared.errors import ConflictError, UserError
from shared.lifecycle import permissions
from shared.runs import slots
from shared.settings import settings
from shared.training import compute, offer, quota
from shared.training.base_model import BaseModel

pytestmark = pytest.mark.stack

NC24 = "Standard_NC24ads_A100_v4"
ANY = BaseModel("id", "mine", "1", {}, {})


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BoxConfig]:
    with azure_ml_beside(tmp_path_factory.mktemp("gates") / "box") as config:
        yield config


@pytest.fixture
def no_slots(box: BoxConfig) -> None:
    slots.ACTIVE.delete(slots.PATH)


def cluster(name: str, nodes: int = 2, **rest: Any) -> None:
    """A cluster made by the SDK as anybody would make it."""
    from azure.ai.ml.entities import AmlCompute

    wanted = AmlCompute(name=name, size=NC24, max_instances=nodes, **rest)
    ml.workspace().compute.begin_create_or_update(wanted).result()


def test_sizes_tell_their_cores_gpus_and_family(box: BoxConfig) -> None:
    found = offer.sizes()["standard_nc48ads_a100_v4"]
    assert (found.cores, found.gpus, found.family) == (48, 2, "standardNCADSA100v4Family")
    assert all(size.cores > 0 and size.family for size in offer.sizes().values())


def test_usages_tell_family_use_and_limit(box: BoxConfig) -> None:
    found = {usage.family: usage for usage in outside().computes.usages()}
    assert set(found) == {size.family for size in offer.sizes().values()}
    assert found["standardNCADSA100v4Family"].limit >= 100 * 96, "the box grants 100 deployments of the largest size"
    assert found["standardDSv2Family"].limit >= 100 * 2 * 16, "and keeps a reserve for the sizes that need one"


def test_a_cluster_tells_what_it_holds_and_its_nodes_count_as_used(box: BoxConfig) -> None:
    cluster("kept", min_instances=1)
    cluster("cheap", tier="LowPriority", min_instances=1)
    kept, cheap = outside().computes.find("kept"), outside().computes.find("cheap")
    assert kept is not None
    assert cheap is not None
    assert (kept.size, kept.state, kept.nodes, kept.held, kept.least) == (NC24, "succeeded", 2, 1, 1)
    assert (kept.dedicated, cheap.dedicated) == (True, False)
    assert {usage.family: usage.used for usage in outside().computes.usages()}["standardNCADSA100v4Family"] == 24
    assert outside().computes.find("nothing") is None


def test_a_run_on_a_real_cluster_has_quota_and_the_roles(box: BoxConfig) -> None:
    cluster("gpu-cluster")
    permissions.check("gpu-cluster")
    ready = compute.ready("gpu-cluster", settings(), ANY)
    assert (ready.gpus, ready.nodes, ready.held) == (1, 2, 0)
    assert quota.check(ANY, ready, 2, NC24) == ""


def test_a_cluster_larger_than_its_quota_is_refused_with_the_emulators_numbers(box: BoxConfig) -> None:
    cluster("huge", nodes=5000)
    with pytest.raises(UserError, match=r"needs 120000 cores of standardNCADSA100v4Family, and \d+ are free"):
        quota.check(ANY, compute.ready("huge", settings(), ANY), 5000, NC24)


def test_a_size_that_the_region_lacks_is_refused(box: BoxConfig) -> None:
    cluster("gpu-cluster")
    with pytest.raises(UserError, match="does not offer Standard_NC9000") as caught:
        quota.check(ANY, compute.ready("gpu-cluster", settings(), ANY), 1, "Standard_NC9000")
    assert NC24 in caught.value.fix
    assert "NC6s_v3" not in caught.value.fix


def test_many_at_once_never_have_more_slots_than_there_are(no_slots: None) -> None:
    runs = [f"{folder}-{number:010x}" for number in range(12) for folder in ("acme", "beta", "crow")]

    def until_told(run: str) -> bool:
        for _ in range(20):
            with suppress(ConflictError):
                return slots.take(run, run.split("-")[0])
        raise AssertionError("a conflict without end")

    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(until_told, runs))
    held = slots.look()
    assert sum(told) <= settings().max_jobs == len(held.running)
    assert sorted(entry.run for entry in (*held.running, *held.waiting)) == sorted(runs)
    done: list[str] = []
    while held.running:
        done.append(held.running[0].run)
        slots.give_back(done[-1])
        held = slots.look()
        assert len(held.running) <= settings().max_jobs
    assert sorted(done) == sorted(runs)
    assert len({run.split("-")[0] for run in done[:6]}) == 3, "no folder waits for all of another"


def test_ten_thousand_waiting_cost_a_second_at_most(no_slots: None) -> None:
    import msgspec

    from shared.runs.turns import Entry, Turns

    entries = tuple(
        Entry(f"customer-support-{n:010x}", f"folder-{n % 99}", "2026-11-25T00:00:00.000Z") for n in range(10_000)
    )
    full = Turns(entries[:4], entries[4:])
    slots.ACTIVE.write(slots.PATH, msgspec.json.encode(full))
    began = time.monotonic()
    assert not slots.take(entries[-1].run, entries[-1].folder)
    read = time.monotonic() - began
    assert not slots.take("new-0000000001", "new")
    written = time.monotonic() - began - read
    assert slots.give_back(entries[0].run) == [entries[4].run]
    print(f"10,000 waiting: {len(msgspec.json.encode(full)):,} bytes, a look {read:.3f} s, a change {written:.3f} s")
    assert read + written < 2
