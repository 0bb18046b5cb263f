"""The end: all at rest, a report beside each file, the newest served, nothing left that bills."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import msgspec

from shared.azure.seen import ENDS
from shared.datasets.paths import is_dataset
from tests.simulation import contents
from tests.simulation.checker import Judge, shows
from tests.simulation.history import Wish
from tests.simulation.story import FINAL

BOUND_OF_CANCEL = 420.0
NAMED = ("rejected", "refused", "failed", "gated_out")


class Rest(Judge):
    """What is true when nothing happens any more."""

    def goes_on(self) -> str:
        """What is still going on, or an empty text."""
        world = self.simulation.world
        if running := [
            name
            for name, job in world.jobs.all.items()
            if job.status not in ENDS and not job.foreign and self._known(job)
        ]:
            return f"the jobs {running} run"
        if standing := self._deployments():
            return f"the deployments {standing} stand"
        if waiting := {path: told for path in self._datasets() if (told := self._lacks(path))}:
            return f"reports are missing: {waiting}"
        if world.queue.messages:
            return f"messages: {[message.body for message in world.queue.messages.values()][:5]}"
        return ""

    def _lacks(self, path: str) -> str:
        said = self.simulation.report(path)
        if said.get("state") not in FINAL:
            return f"{said.get('state')}"
        etag = self.simulation.world.blobs.containers["datasets"][path].etag
        return "" if said.get("etag") == etag else f"{said.get('state')}, of an earlier version"

    def _known(self, job: Any) -> bool:
        return job.life.ends in (*ENDS, "Unknown") or job.status == "NotStarted"

    def _deployments(self) -> list[str]:
        found = []
        for endpoint in self.simulation.world.online.endpoints.values():
            if endpoint.name not in self.history.foreign:
                found += [
                    f"{endpoint.name}/{name} ({made.state})"
                    for name, made in endpoint.deployments.items()
                    if f"{endpoint.name}/{name}" not in self.history.foreign
                ]
        return found

    def _datasets(self) -> list[str]:
        return [path for path in self.simulation.world.blobs.containers.get("datasets", {}) if is_dataset(path)]

    @shows(8, 9, 10, 11, 12, 13, 17, 18, 32, 37, 45)
    def end_all_rest(self) -> None:
        """8-13, 17, 18, 32, 37, 45: once faults stop, everything comes to rest in bounded time and calls."""
        if going := self.goes_on():
            self.wrong((45,), f"it does not come to rest: {going}")

    @shows(44)
    def end_reports_tell(self) -> None:
        """44: a report that says no says why."""
        for path in self._datasets():
            said = self.simulation.report(path)
            if said.get("state") in NAMED and not said.get("reason"):
                self.wrong((44,), f"the report of {path} says {said.get('state')} without a reason")

    @shows(6, 43)
    def end_one_run_is_live(self) -> None:
        """6, 43: of a folder's runs one at most says that it is live."""
        runs = self.simulation.world.blobs.containers.get("runs", {}).values()
        live = Counter(
            run.name for run in (_run(blob.data) for blob in runs) if run is not None and run.state == "live"
        )
        for name, count in live.items():
            if count > 1:
                self.wrong((6, 43), f"{count} runs of {name} say live")

    @shows(4, 6, 7, 22)
    def end_newest_is_live(self) -> None:
        """4, 6, 7: of a folder's files one at most is live, and it is the newest that could be."""
        for folder in self.history.versions:
            self._folder(folder)

    def _folder(self, folder: str) -> None:
        live = [path for path in self._datasets() if path.startswith(f"{folder}/") and self._state(path) == "live"]
        if len(live) > 1:
            self.wrong((6,), f"the reports of {live} all say live")
        wishes = self.history.wishes(folder)
        if not wishes or folder in self.history.taken or self.history.cancels[folder] or self.simulation.permanent:
            return
        newest = wishes[-1]
        others = {int(wish.order[0]) for wish in wishes if wish.path != newest.path}
        if not newest.current or int(newest.order[0]) in others or any(wish.budget for wish in wishes):
            return
        expected = self.expected(newest)
        if self._state(newest.path) not in expected:
            said = self.simulation.report(newest.path)
            told = f"{said.get('state')} ({said.get('reason')})"
            self.wrong((4, 6), f"{newest.path} is the newest of its folder, is {told}, and should be {expected}")
        gated = {"gated_out", "rolled_back"} & set(expected)
        if "live" in expected and not gated and newest.key not in self.history.served.values():
            self.wrong((6, 7), f"the model of {newest.path}, the newest of its folder, is not what is served")

    @shows(34)
    def end_cancelled(self) -> None:
        """34: what was cancelled ends: a tick later at most its job runs no more."""
        simulation = self.simulation
        if any(self.history.retries.values()) or simulation.stops or simulation.kills or simulation.profile.deaf:
            return
        for at, run in simulation.cancelled:
            for name, job in simulation.world.jobs.all.items():
                ended = job.ended or simulation.kernel.now
                calm = not any(at - 300 < fault < ended for fault in simulation.faults.times)
                if job.spec.tags.get("droptune-run") == run and calm and ended > at + BOUND_OF_CANCEL:
                    self.wrong((34,), f"the job {name} ran on {ended - at:.0f} s after its run {run} was cancelled")

    def _state(self, path: str) -> str:
        return str(self.simulation.report(path).get("state"))

    def expected(self, wish: Wish) -> tuple[str, ...]:
        """How a wish must end where nothing but passing faults befell it."""
        if wish.key is None:
            return ("rejected",)
        if self.simulation.short:
            return ("refused", "duplicate")
        if wish.gate is not None and contents.fate(wish.data) in ("", "heavy"):
            return ("gated_out", "duplicate")
        worse = ("gated_out",) if "True" in wish.served else ()  # all models say the same here: none is better
        canary = ("rolled_back",) if "[" in wish.served else ()  # faults make its answers fail
        return (*contents.ends(wish.data), *worse, *canary)

    @shows(16)
    def end_strangers_refuse(self) -> None:
        """16: a run whose job's name is somebody else's ends, and says why."""
        for run, job in self.simulation.strangers.items():
            record = json.loads(self.simulation.world.blobs.containers["runs"][f"{run}.json"].data)
            ends = ("refused", "cancelled", "superseded", *(("failed",) if self.simulation.permanent else ()))
            if record["attempt"] == 1 and record["state"] not in ends:
                self.wrong((16,), f"the run {run} is {record['state']} although {job} is somebody else's")

    @shows(16, 28)
    def end_foreign_stands(self) -> None:
        """16, 28: what was somebody else's is still there."""
        online = self.simulation.world.online.endpoints
        for name in self.history.foreign:
            endpoint, _, deployment = name.partition("/")
            there = endpoint in online and (not deployment or deployment in online[endpoint].deployments)
            if not there and name not in self.simulation.world.jobs.all:
                self.wrong((28,), f"{name} was somebody else's and is gone")


class _Run(msgspec.Struct):
    """Of a run's record, what is judged."""

    name: str
    state: str


def _run(data: bytes) -> _Run | None:
    try:
        return msgspec.json.decode(data, type=_Run)
    except msgspec.DecodeError:
        return None  # one of those that a schedule damages
