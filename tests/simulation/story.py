"""The way of one folder without a fault: dropped, live, used, idle, asleep, woken, dropped anew, superseded, asleep."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from shared.azure.seen import JobSpec
from shared.endpoints import raw, scoring
from shared.lifecycle import commands
from shared.runs import identity
from tests.simulation import contents
from tests.simulation.checker import Checker
from tests.simulation.faults import Faults
from tests.simulation.kernel import Kernel, Process
from tests.simulation.outside.online import CANARY, FakeDeployment
from tests.simulation.outside.workspace import OUTPUT, FakeJob, JobLife
from tests.simulation.outside.world import WORKSPACE, World
from tests.simulation.platform import Platform, Profile, driven

FINAL = ("rejected", "duplicate", "live", "failed", "refused", "cancelled", "superseded", "gated_out", "withdrawn")
BODY = b'{"input_data": {"input_string": [{"role": "user", "content": "hi"}], "parameters": {}}}'


@dataclass
class Simulation:
    """One simulated world with its platform, and the people who use it."""

    seed: int
    profile: Profile = field(default_factory=Profile)
    told: Callable[[str], None] | None = None

    def __post_init__(self) -> None:
        self.kernel = Kernel(self.seed)
        self.faults = Faults(self.kernel)
        self.world = World(self.kernel, self.faults)
        self.world.online.takes.lag = 120.0
        say = (lambda line: self.told(f"{self.clock()} {line}")) if self.told else None  # type: ignore[misc]
        self.world.gate.told = say
        self.platform = Platform(self.world, self.faults, self.profile, told=say)
        self.people = Process("people")
        self.answers: list[tuple[float, str, Any]] = []
        self.webhooks: dict[str, str] = {}  # by folder, what its droptune.toml names
        self.stops = self.kills = 0
        self.slow = self.permanent = self.short = False
        self.strangers: dict[str, str] = {}  # runs whose first job's name is somebody else's, and that job
        self.slack = self.quiet_since = 0.0
        self.world.jobs.lives = self._life
        self.world.online.takes.fails = self._too_heavy
        self.on_point = self.world.gate.on_point
        self.cancelled: list[tuple[float, str]] = []
        self.checker = Checker(self)

    def _life(self, spec: JobSpec) -> JobLife:
        path = spec.files["train"].rpartition("/paths/")[2]
        blob = self.world.blobs.containers.get("snapshots", {}).get(path)
        fate = contents.fate(blob.data if blob else b"")
        random = self.kernel.random
        outputs = () if fate == "hollow" else (OUTPUT,)
        return JobLife(
            20 + 100 * random.random(), 60 + 900 * random.random(), contents.FATES.get(fate, "Completed"), outputs
        )

    def _too_heavy(self, made: FakeDeployment) -> bool:
        path = next((path for model, path in self.world.models.all.values() if model.id == made.model_id), "")
        job = self.world.jobs.all.get(path.removeprefix("azureml://jobs/").partition("/")[0])
        return job is not None and contents.fate(job.read.get("train") or b"") == "heavy"

    def command(self, what: str, name: str) -> None:
        """Somebody cancels, retries, puts to sleep or wakes."""
        history, now = self.checker.history, self.kernel.now
        if what == "retry":
            history.retries[name] += 1
        elif what == "cancel":
            history.cancels[name].append(now)
        elif what == "sleep":
            history.sleeps[name].append(now)
        call = getattr(commands, what)

        def answered(result: Any) -> None:
            self.say(f"people: {what} {name}: {_short(result)}")
            if what == "cancel" and isinstance(result, dict) and "~" not in result["id"]:
                self.cancelled.append((self.kernel.now, result["id"]))

        self.platform.request(f"{what} {name}", lambda: call(name), answered)

    def ask_directly(self, name: str) -> None:
        """Somebody asks the endpoint past droptune: only the service's metric shows it."""
        place = identity.endpoint_name(name, WORKSPACE)
        reply = self.world.inference.answer(f"https://{place}/score", f"{CANARY}-{place}", "")
        self.say(f"somebody asks {place} directly: {reply.status}")

    def plant_foreign(self, name: str) -> None:
        """Somebody else's endpoint, under our name for a folder where one is given."""
        place = identity.endpoint_name(name, WORKSPACE) if name else "other-team"
        self.checker.history.foreign.update((place, f"{place}/theirs"))
        self.checker.history.taken.add(name)
        self.world.online.make(place, {"team": "other"})
        self.world.online.deploy(place, "theirs", "/models/theirs/versions/1", "Standard_DS3_v2", {})
        self.say(f"somebody else has the endpoint {place}")

    def plant_job(self) -> None:
        """Somebody else's job under the name that a recorded run is about to use; once in a world."""
        runs = self.world.blobs.containers.get("runs", {})
        whole = [path.removesuffix(".json") for path, blob in runs.items() if blob.data.endswith(b"}")]
        free = [run for run in whole if identity.job_name(run, 1) not in self.world.jobs.all]
        if self.strangers or not free:
            return
        name = identity.job_name(free[0], 1)
        spec = JobSpec(name, "theirs", "theirs", {"team": "other"}, "", "", 1, {}, {}, {})
        self.world.jobs.all[name] = FakeJob(spec, JobLife(), self.kernel.now, "Running", foreign=True)
        self.strangers[free[0]] = name
        self.checker.history.foreign.add(name)
        self.checker.history.taken.add(free[0].rpartition("-")[0])
        self.say(f"somebody else has a job {name}")

    def clock(self) -> str:
        """Time since the beginning."""
        from tests.simulation.kernel import EPOCH

        seconds = self.kernel.now - EPOCH
        return f"{int(seconds // 3600):02d}:{int(seconds % 3600 // 60):02d}:{seconds % 60:06.3f}"

    def say(self, line: str) -> None:
        """A line of the replay."""
        if self.told:
            self.told(f"{self.clock()} {line}")

    def drop(self, path: str, data: bytes) -> str:
        """Somebody uploads a file."""
        folder, _, name = path.partition("/")
        if name == "droptune.toml" and folder in self.webhooks:
            data += f'[notify]\nwebhook = "{self.webhooks[folder]}"\n'.encode()
        self.say(f"people: drop {path} ({len(data)} bytes)")
        return self.world.blobs.put("datasets", path, data)

    def remove(self, path: str) -> None:
        """Somebody deletes a file."""
        self.say(f"people: delete {path}")
        self.world.blobs.remove("datasets", path)

    def ask(self, name: str) -> None:
        """A client asks a model."""
        began = self.kernel.now

        def answered(result: Any) -> None:
            self.say(f"client: {name} answers {_short(result)}")
            self.answers.append((began, name, result))

        self.platform.request(f"ask {name}", lambda: driven(scoring.ask(name, raw.checked(BODY))), answered)

    def report(self, path: str) -> dict[str, Any]:
        """The report beside a file."""
        found = self.world.blobs.containers.get("datasets", {}).get(f"{path}.report.json")
        try:
            said = json.loads(found.data) if found else {}
        except ValueError:
            return {}
        return dict(said) if isinstance(said, dict) else {}

    def until(self, true: Callable[[], bool], most: float, each: float = 60.0) -> bool:
        """Time goes on until something is so, or so many seconds have passed."""
        ends = self.kernel.now + most
        while self.kernel.now < ends:
            self.kernel.run(min(self.kernel.now + each, ends))
            if true():
                return True
        return False

    def quiet(self) -> None:
        """Faults stop; what was stopped goes on."""
        self.say("--- quiet ---")
        self.faults.quiet()
        self.profile.calm()
        self.world.webhooks.mended = True
        self.quiet_since = max(self.kernel.now, *(host.frozen_until for host in self.platform.hosts))


def _short(result: Any) -> str:
    if isinstance(result, scoring.ScoringError):
        return f"{result.status} {result.code} {result.headers}"
    return repr(result)[:150]


HOUR = 3600.0


def tell(simulation: Simulation) -> None:
    """The whole story; it ends early where the folder's run ends otherwise."""
    first, second = "acme/first.jsonl", "acme/second.jsonl"
    simulation.kernel.run(simulation.kernel.now + 10)
    simulation.drop(first, contents.rows("one"))
    if not simulation.until(lambda: _ended(simulation, first), 6 * HOUR) or not _is(simulation, first, "live"):
        _rest(simulation)
        return
    simulation.ask("acme")
    simulation.until(lambda: _asleep(simulation), 3 * HOUR)
    _wake(simulation)
    simulation.drop(second, contents.rows("two"))
    simulation.until(lambda: _ended(simulation, second), 6 * HOUR)
    _rest(simulation)


def _wake(simulation: Simulation) -> None:
    for _ in range(60):
        simulation.ask("acme")
        simulation.until(lambda: False, 60)
        if simulation.answers and isinstance(simulation.answers[-1][2], bytes):
            return


def _rest(simulation: Simulation) -> None:
    simulation.until(lambda: _asleep(simulation) and not simulation.world.queue.messages, 3 * HOUR)
    simulation.until(lambda: False, 1200)


def _ended(simulation: Simulation, path: str) -> bool:
    return simulation.report(path).get("state") in FINAL


def _is(simulation: Simulation, path: str, state: str) -> bool:
    return simulation.report(path).get("state") == state


def _asleep(simulation: Simulation) -> bool:
    return not any(endpoint.deployments for endpoint in simulation.world.online.endpoints.values())
