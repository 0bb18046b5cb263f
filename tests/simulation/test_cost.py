"""What a tick of reconcile costs: it grows with what is active, not with all that ever was."""

from __future__ import annotations

from datetime import datetime

import pytest

from shared import clock
from shared.azure import outside
from shared.lifecycle.reconcile import reconcile
from shared.runs import store
from shared.runs.records import Endpoint, Run, stamp
from tests.simulation.faults import Faults
from tests.simulation.kernel import EPOCH, Kernel, Process, SimulatedClock
from tests.simulation.outside.world import World
from tests.simulation.setting import production

A_CALL, BESIDES = 3, 20  # storage calls for each active run, and for the tick
HOUR = 3600.0


def tick(resting: int, active: int, *, sweeps: bool = False) -> int:
    """The calls outside of one tick over so many records."""
    kernel = Kernel(1)
    world = World(kernel, Faults(kernel))
    outside.use(world)
    clock.use(SimulatedClock(kernel))
    _fill(resting, active)
    world.blobs.containers.setdefault("active", {})
    kernel.now += 60.0
    process = Process("host")
    if not sweeps:
        kernel.spawn("sweep", process, lambda: store.ACTIVE.write("_sweep", b""))
        kernel.run(kernel.now + 10.0)
    before = world.gate.calls
    found: list[int] = []
    kernel.spawn("reconcile", process, lambda: found.append(reconcile()))
    kernel.run(kernel.now + HOUR)
    assert found == [0]
    return world.gate.calls - before


def _fill(resting: int, active: int) -> None:
    """Runs that were superseded long ago, with no marker left, and runs that wait for a message, an endpoint each."""
    for number in range(resting):
        record = Run(id=f"old-{number:010x}", name="old", state="superseded")
        store.container("run").write(f"{record.id}.json", store._encode(record), create=True)
    when = stamp(datetime.fromtimestamp(EPOCH + 600.0, clock.now().tzinfo))
    for number in range(active):
        name = f"acme{number}"
        store.create(Endpoint(id=name, name=name, state="awake", endpoint_name=name, next_look=when))
        run = Run(id=f"{name}-{number:010x}", name=name, state="submitted", next_look=when)
        store.create(run)


@pytest.mark.parametrize("active", [0, 100])
def test_a_tick_costs_no_more_over_ten_thousand_resting_runs_than_over_ten(active: int) -> None:
    with production():
        few, many = tick(10, active), tick(10_000, active)
    assert few == many
    assert many <= A_CALL * active + BESIDES


def test_the_hourly_sweep_lists_by_pages_and_reads_no_record_that_rests() -> None:
    with production():
        assert tick(10_000, 0, sweeps=True) <= BESIDES
