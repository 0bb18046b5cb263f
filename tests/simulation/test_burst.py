"""Very many uploads at once: never more jobs than allowed, no folder that waits for all of another, a report for each."""

from __future__ import annotations

from collections import Counter

from shared import clock
from shared.azure import outside
from shared.settings import settings
from tests.simulation import contents
from tests.simulation.kernel import SimulatedClock
from tests.simulation.outside.workspace import FakeJob
from tests.simulation.setting import production
from tests.simulation.story import FINAL, Simulation

FOLDERS, EACH, GREEDY = 8, 2, 64
DAYS = 24 * 3600.0


class Watch:
    """Who trains when."""

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation
        self.trains: set[str] = set()
        self.most = 0
        self.order: list[str] = []
        simulation.world.jobs.heard.append(self._heard)

    def _heard(self, what: str, job: FakeJob) -> None:
        if what == "made":
            self.trains.add(job.spec.name)
            self.order.append(job.spec.name.removeprefix("droptune-").split("-")[0])
        elif job.ended is not None:
            self.trains.discard(job.spec.name)
        self.most = max(self.most, len(self.trains))


def test_eighty_uploads_at_once_starve_no_folder_and_never_train_more_than_allowed() -> None:
    with production(stubbed=True):
        simulation = Simulation(46)
        outside.use(simulation.world)
        clock.use(SimulatedClock(simulation.kernel))
        watch, paths = Watch(simulation), _drop_all(simulation)
        done = simulation.until(lambda: all(_ended(simulation, path) for path in paths), 3 * DAYS, 600.0)
        allowed = settings().max_jobs
    assert done, Counter(str(simulation.report(path).get("state")) for path in paths)
    assert len(watch.order) == len(paths) == len(set(simulation.world.jobs.all))
    assert watch.most <= allowed
    # each small folder has trained everything before the greedy one has trained as much as all of them together
    greedy = [number for number, folder in enumerate(watch.order) if folder == "greedy"]
    small = [number for number, folder in enumerate(watch.order) if folder != "greedy"]
    assert max(small) < greedy[FOLDERS * EACH]


def _drop_all(simulation: Simulation) -> list[str]:
    greedy = [f"greedy/{number}.jsonl" for number in range(GREEDY)]
    small = [f"small{folder}/{number}.jsonl" for folder in range(FOLDERS) for number in range(EACH)]
    for path in (*greedy, *small):
        simulation.drop(path, contents.rows(path))
    return [*greedy, *small]


def _ended(simulation: Simulation, path: str) -> bool:
    return simulation.report(path).get("state") in FINAL
