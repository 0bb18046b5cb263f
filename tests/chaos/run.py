"""One chaos run: datasets are dropped while services are killed and calls fail; then it is judged what came of it."""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local.box import control
from tests.chaos import seen, wishes
from tests.chaos.checker import judge
from tests.chaos.history import History
from tests.chaos.killer import OTHERS, Killer
from tests.chaos.seen import Seen
from tests.chaos.weather import Weather
from tests.chaos.wishes import Wish
from tests.chaos.world import World

IDLE, IDLE_TIMER = 10, 5
# The box's own pauses are for people to watch; here reconcile comes every five seconds, and the sweep every half minute.
SETTINGS = {
    "DROPTUNE_IDLE_AFTER": f"{IDLE}s",
    "DROPTUNE_IDLE_SCHEDULE": f"*/{IDLE_TIMER} * * * * *",
    "DROPTUNE_WATCH": "5s",
    "DROPTUNE_RECONCILE_SCHEDULE": "*/5 * * * * *",
    "DROPTUNE_SWEEP": "30s",
}
# After the idle window: the rest of the minute that Azure Monitor counts in, one period of the timer, the second look before
# a delete, the delete, and what two busy cores add.
WINDOW = IDLE + 60 + IDLE_TIMER + 5 + 20


@dataclass(frozen=True)
class Plan:
    """What a run does: `gap` is the mean pause between two kills; `until_reported`: it storms until all have a report."""

    seed: int
    datasets: int = 6
    per_folder: int = 1
    kills: int = 3
    others: int = 2
    freezes: int = 1
    share: float = 0.1
    gap: float = 3.0
    rest_within: float = 600.0
    until_reported: bool = False
    sleeps: bool = True


@dataclass
class Result:
    """What came of it; `problems` is empty where all is well."""

    plan: Plan
    history: Path
    problems: list[str] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)


def run(home: Path, plan: Plan, tell: Any = lambda _: None) -> Result:
    """Starts a box, lets it storm, waits for rest, judges, ends the box; logs and history stay in `home`."""
    control.up(home, settings=SETTINGS if plan.sleeps else {**SETTINGS, "DROPTUNE_IDLE_AFTER": "0"}, instances=2)
    try:
        return _Run(home, plan, tell).whole()
    finally:
        control.down(home)


class _Run:
    def __init__(self, home: Path, plan: Plan, tell: Any) -> None:
        self.plan, self.tell, self.home = plan, tell, home
        self.dice = random.Random(plan.seed)
        self.history = History(home / "chaos.jsonl")
        self.world = World(home)
        self.weather = Weather(home, self.world, self.history, plan.share, plan.seed)
        self.killer = Killer(home, self.history, self.dice)
        self.wishes: list[Wish] = []
        self.ended: set[str] = set()
        self.dropping: list[threading.Thread] = []

    def whole(self) -> Result:
        self.history.note("begin", plan=vars(self.plan))
        self.world.settle_strangers()
        before = self._strangers_at_rest()
        began = time.time()
        self.weather.start()
        self._drop()
        self._kill_all()
        if self.plan.until_reported:
            self._wait("reported", self._open, self.plan.rest_within)
        self.killer.end()
        self.weather.calm()
        calm = time.time()
        self.tell(f"calm after {calm - began:.0f} s; waiting for rest")
        reported = self._wait("reports", self._open, self.plan.rest_within)
        rested = self._wait("rest", self._restless, WINDOW + 30)
        self.weather.look()
        self.weather.end()
        found = seen.look(self.world, self.wishes, list(self.history.calls.values()))
        problems = judge(found, self.wishes, before, calm, WINDOW if self.plan.sleeps else None)
        figures = self._figures(found, {"storm": calm - began, "to reports": reported, "to rest": reported + rested})
        (self.home / "chaos.end.json").write_text(json.dumps(found.as_json(), indent=1))
        self.history.close(problems=problems, figures=figures)
        return Result(self.plan, self.history.path, problems, figures)

    def _strangers_at_rest(self) -> dict[str, Any]:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            found = self.world.strangers()
            states = [
                one["properties"].get("status") or one["properties"]["provisioningState"] for one in found.values()
            ]
            if states == ["Succeeded", "Completed"]:
                return found
            time.sleep(0.2)
        raise AssertionError(f"the strangers never came to rest: {found}")

    def _drop(self, wave: int = 0) -> None:
        made = wishes.plan(self.dice, self.plan.datasets, self.plan.per_folder, wave)
        self.wishes += made
        self.history.note("drop", wishes=[vars(wish) for wish in made])
        thread = threading.Thread(target=wishes.drop, args=(self.world, made), daemon=True)
        thread.start()
        self.dropping.append(thread)

    def _kill_all(self) -> None:
        """All that the plan has, in random order; where nothing is left to disturb, more is dropped."""
        deeds = ["functions"] * self.plan.kills + ["freeze"] * self.plan.freezes
        deeds += [OTHERS[number % len(OTHERS)] for number in range(self.plan.others)]
        self.dice.shuffle(deeds)
        for number, deed in enumerate(deeds):
            time.sleep(self.dice.uniform(0.2, 2 * self.plan.gap))
            if not self.plan.until_reported and not self._open():
                self._drop(wave=number + 1)
            self.weather.look()
            done = self.killer.freeze() if deed == "freeze" else self.killer.kill(deed)
            self.tell(f"{number + 1} of {len(deeds)}: {deed}{'' if done else ' (was not there)'}; {self._progress()}")

    def _open(self) -> list[str]:
        """The wishes whose report does not say yet how they ended."""
        for wish in self.wishes:
            if wish.path not in self.ended:
                state = self.world.report(wish.path).get("state")
                if state not in (None, "accepted"):
                    self.ended.add(wish.path)
        return [wish.path for wish in self.wishes if wish.path not in self.ended]

    def _progress(self) -> str:
        return f"{len(self.wishes) - len(self._open())} of {len(self.wishes)} have ended"

    def _restless(self) -> list[str]:
        """What still runs, is changed, and, where endpoints sleep, stands or bills."""
        jobs = [job["name"] for job in seen.pipelines(self.world) if job["properties"]["status"] not in seen.ENDED_JOBS]
        found = seen.endpoints(self.world)
        most = 0 if self.plan.sleeps else 1
        stand = [f"{name}: {deployments}" for name, deployments in found.items() if len(deployments) > most]
        rows = self.world.emulator("billing")["deployments"]
        bills = [row["deployment"] for row in rows if row["to"] is None and self.plan.sleeps]
        return jobs + stand + bills

    def _wait(self, what: str, left: Any, within: float) -> float:
        began = time.monotonic()
        while time.monotonic() - began < within:
            found = left()
            if not found and not any(thread.is_alive() for thread in self.dropping):
                self.history.note(what, seconds=round(time.monotonic() - began, 1))
                return time.monotonic() - began
            time.sleep(0.5 if len(self.wishes) < 20 else 3)
        self.history.note(f"no {what}", left=found)
        return within

    def _figures(self, found: Seen, seconds: dict[str, float]) -> dict[str, Any]:
        fired = self.weather.fired()
        return {
            "datasets": len(self.wishes),
            "reports": dict(Counter(str(report.get("state")) for report in found.reports.values())),
            "jobs": len(found.jobs),
            "job creates with effect": sum(1 for call in found.calls if _made_job(call)),
            "models": len(found.models),
            "deployments made": len(found.bill),
            "billed seconds": round(sum(row["seconds"] for row in found.bill)),
            "killed": dict(self.killer.killed),
            "faults fired": sum(fired.values()),
            "by kind": fired,
            "calls to Azure ML": len(found.calls),
            "seconds": {name: round(value, 1) for name, value in seconds.items()},
        }


def _made_job(call: dict[str, Any]) -> bool:
    return call["method"] == "PUT" and call["status"] == 201 and call["path"].lower().rsplit("/", 2)[-2] == "jobs"
