"""Every call of the fault-free story, with every fault: the end outside is the same, or a clear no.

Sieve's method: run once without a fault, keep the end; then one run for each call and fault, and compare the ends.
"""

from __future__ import annotations

import multiprocessing
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from shared import clock
from shared.azure import outside
from shared.datasets.paths import is_dataset
from tests.simulation.faults import FAULTS, applies
from tests.simulation.kernel import SimulatedClock
from tests.simulation.setting import production
from tests.simulation.story import Simulation, tell

PERMANENT = ("400", "401", "403", "404")
ALLOWED = ("failed", "refused", "rejected")
SEED = 7
EACH = 2  # calls of one kind in one kind of step: the third look at the same thing is the second again


@dataclass
class Ends:
    """What the sweep gave."""

    cases: int = 0
    calls: int = 0
    seconds: float = 0.0
    fired: Counter[tuple[str, str]] = field(default_factory=Counter)
    failed: dict[tuple[int, str], str] = field(default_factory=dict)
    others: int = 0

    def told(self) -> str:
        """For people."""
        lines = [
            f"sweep: {self.cases} cases over {self.calls} calls, {len(self.failed)} violations, {self.others} ended with a clear no, "
            f"{self.seconds:.0f} s"
        ]
        lines += [
            f"  call {index}, {fault}: {told}   (python -m tests.simulation --case {index} '{fault}')"
            for (index, fault), told in sorted(self.failed.items())[:40]
        ]
        return "\n".join(lines)


def simulate(exact: dict[int, str], told: Any = None) -> Simulation:
    """The story with faults at these calls."""
    simulation = Simulation(SEED, told=told)
    outside.use(simulation.world)
    clock.use(SimulatedClock(simulation.kernel))
    simulation.faults.points = []
    simulation.faults.exact = dict(exact)
    tell(simulation)
    return simulation


def end(simulation: Simulation) -> dict[str, Any]:
    """What is outside at the end, without what may differ: times, and how often something woke."""
    world = simulation.world
    return {
        "jobs": sorted(
            (name, job.status, tuple(sorted(job.spec.tags.items()))) for name, job in world.jobs.all.items()
        ),
        "models": sorted(
            (*names, path, tuple(sorted(model.tags.items()))) for names, (model, path) in world.models.all.items()
        ),
        "endpoints": sorted((name, tuple(sorted(one.tags.items()))) for name, one in world.online.endpoints.items()),
        "deployed": sorted({(made.endpoint, made.model_id, made.instance_type) for made in world.online.ever}),
        "standing": sorted(f"{one.name}/{name}" for one in world.online.endpoints.values() for name in one.deployments),
        "computes": sorted(world.computes.all),
        "reports": reports(simulation),
        "snapshots": sorted(world.blobs.containers.get("snapshots", {})),
        "messages": len(world.queue.messages) + len(world.queue.poison),
    }


def reports(simulation: Simulation) -> dict[str, tuple[Any, ...]]:
    """State and version that the report beside each file tells."""
    paths = [path for path in simulation.world.blobs.containers["datasets"] if is_dataset(path)]
    return {path: (simulation.report(path).get("state"), simulation.report(path).get("etag")) for path in paths}


def cases(each: int = EACH) -> Iterator[tuple[int, str]]:
    """Call and fault, for every call that is not the same again."""
    seen: Counter[tuple[str, str]] = Counter()
    for index, (point, actor) in enumerate(simulate({}).faults.points or []):
        what = actor.partition(" ")[2].partition(',"due"')[0].partition(',"tries"')[0]
        seen[what, point] += 1
        if seen[what, point] <= each:
            for fault in FAULTS:
                if applies(point, fault):
                    yield index, fault


def judge(
    index: int, fault: str, wanted: dict[str, Any], told: Any = None
) -> tuple[str, bool, Counter[tuple[str, str]]]:
    """What is wrong with a case, whether it ended with a clear no, and what fired."""
    simulation = None
    try:
        simulation = simulate({index: fault}, told)
        simulation.until(lambda: not simulation.checker.at_rest(), 3 * 3600.0, 300.0)
        found = end(simulation)
        permanent = fault in PERMANENT
        simulation.permanent = permanent
        simulation.checker.finish()
    except Exception as error:
        fired = simulation.faults.fired if simulation else Counter({("?", fault): 1})
        return f"{type(error).__name__}: {error}", False, fired
    if not simulation.faults.fired:
        return "the fault did not fire", False, Counter()
    if found == wanted:
        return "", False, simulation.faults.fired
    if permanent and any(state in ALLOWED for state, _ in found["reports"].values()):
        return "", True, simulation.faults.fired
    different = {key: (found[key], wanted[key]) for key in wanted if found[key] != wanted[key]}
    return f"another end: {str(different)[:600]}", False, simulation.faults.fired


def sweep(processes: int, each: int = EACH, every: int = 1, first: int = 0) -> Ends:
    """All cases, or every so manieth."""
    began, ends = time.monotonic(), Ends()
    with production():
        wanted = end(simulate({}))
        chosen = list(cases(each))[first::every]
    ends.calls = len({index for index, _ in chosen})
    parts = [(chosen[at : at + 20], wanted) for at in range(0, len(chosen), 20)]
    with multiprocessing.get_context("fork").Pool(processes) as pool:
        for results in pool.imap_unordered(_some, parts):
            for case, told, other, fired in results:
                ends.cases += 1
                ends.fired.update(fired)
                ends.others += other
                if told:
                    ends.failed[case] = told
    ends.seconds = time.monotonic() - began
    return ends


def _some(
    part: tuple[list[tuple[int, str]], dict[str, Any]],
) -> list[tuple[tuple[int, str], str, bool, Counter[tuple[str, str]]]]:
    chosen, wanted = part
    with production():
        return [((index, fault), *judge(index, fault, wanted)) for index, fault in chosen]
