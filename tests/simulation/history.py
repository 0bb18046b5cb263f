"""What people wished and what was seen outside, in order: the checker's memory."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from shared.azure.seen import JobSpec
from shared.datasets.config import parse
from shared.datasets.paths import place
from shared.runs.identity import upload_key
from tests.simulation import memo
from tests.simulation.outside.blobs import Written
from tests.simulation.outside.online import FakeDeployment

if TYPE_CHECKING:
    from tests.simulation.story import Simulation

DEFAULT_EPOCHS = 3


@dataclass
class Version:
    """A version of a file that somebody dropped; `until` is when it was overwritten or deleted."""

    path: str
    role: str
    data: bytes
    etag: str
    since: float
    until: float | None = None


@dataclass(frozen=True)
class Wish:
    """A dataset with what lay beside it: what would be trained, from when on, and how it must end if nothing fails."""

    path: str
    order: tuple[float, float]  # when the dataset was dropped, and what lies beside it
    key: tuple[Any, ...] | None  # None: it would be rejected
    data: bytes
    current: bool
    gate: float | None = None
    budget: float | None = None
    etag: str = ""
    served: str = ""  # what [gate] and [deploy] ask for besides


@dataclass
class History:
    """The wishes by folder, and counts of what people asked for."""

    simulation: Simulation
    versions: dict[str, list[Version]] = field(default_factory=lambda: defaultdict(list))
    foreign: set[str] = field(default_factory=set)
    taken: set[str] = field(default_factory=set)  # folders whose endpoint's name is somebody else's
    retries: Counter[str] = field(default_factory=Counter)
    cancels: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    backs: set[str] = field(default_factory=set)  # folders in which a rollout may go back, by itself or by hand
    sleeps: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    used: dict[str, float] = field(default_factory=dict)
    direct: dict[str, float] = field(default_factory=dict)
    keys: dict[str, Any] = field(default_factory=dict)
    served: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.simulation.world.blobs.heard.append(self._written)

    def _written(self, written: Written) -> None:
        if written.container != "datasets" or written.path.endswith((".report.json", ".report.html")):
            return
        where = place(written.path)
        if where is None:
            return
        for version in self.versions[where.name]:
            if version.path == written.path and version.until is None:
                version.until = written.at
        if written.data is not None:
            self.versions[where.name].append(Version(written.path, where.role, written.data, written.etag, written.at))

    def wishes(self, folder: str) -> list[Wish]:
        """Every dataset of a folder with every set of companions that it lay beside, in the order of time."""
        found = []
        moments = sorted({at for version in self.versions[folder] for at in (version.since, version.until) if at})
        for version in self.versions[folder]:
            if version.role != "dataset":
                continue
            for at in moments:
                if version.since <= at and (version.until is None or at < version.until):
                    found.append(self._wish(folder, version, at))
        return sorted(found, key=lambda wish: wish.order)

    def _wish(self, folder: str, version: Version, at: float) -> Wish:
        beside = {
            other.role: other
            for other in self.versions[folder]
            if other.role != "dataset" and other.since <= at and (other.until is None or at < other.until)
        }
        companions = [other for other in self.versions[folder] if other.role != "dataset"]
        moments = [when for other in companions for when in (other.since, other.until or 0.0)]
        changed = any(when > at for when in moments)
        last = max((when for when in moments if when <= at), default=0.0)
        current = version.until is None and not changed
        key, gate, budget, served = trained(folder, version, beside)
        where = (version.since, max(version.since, last))
        return Wish(version.path, where, key, version.data, current, gate, budget, version.etag, served)

    def order(self, folder: str, key: Any, *, judged: bool = False) -> tuple[int, int]:
        """The seconds in which a content was last wished for; zeros where nobody ever did.

        `judged`: only of the uploads that were accepted, and have no gate, by which the same content is another run that
        may never be served. Storage tells whole seconds: what is dropped in one of them has no order.
        """
        found = [wish for wish in self.wishes(folder) if wish.key == key]
        if judged:
            found = [wish for wish in found if wish.gate is None and self._accepted(folder, wish)]
        return max(((int(wish.order[0]), int(wish.order[1])) for wish in found), default=(0, 0))

    def _accepted(self, folder: str, wish: Wish) -> bool:
        record = f"{upload_key(folder, wish.path, wish.etag)}.json"
        blob = self.simulation.world.blobs.containers.get("uploads", {}).get(record)
        return blob is not None and json.loads(blob.data)["state"] in ("accepted", "duplicate")

    def key_of(self, deployment: FakeDeployment) -> Any:
        """What a deployment's model was trained on."""
        for model, path in self.simulation.world.models.all.values():
            if model.id == deployment.model_id:
                return self.keys.get(path.removeprefix("azureml://jobs/").partition("/")[0])
        return None

    def ways(self, folder: str, key: Any) -> int:
        """How many runs a content may have by what is wished besides: another gate or rollout makes another run."""
        return max(1, len({(wish.gate, wish.served) for wish in self.wishes(folder) if wish.key == key}))


def trained(
    folder: str, version: Version, beside: dict[str, Version]
) -> tuple[tuple[Any, ...] | None, float | None, float | None, str]:
    """The key of what a dataset and its companions must train, as the rules say; None where they are rejected."""
    data = beside["config"].data if "config" in beside else None
    config, findings = parse(data) if data is not None else memo.no_config()
    files = {"dataset": version.data, **{role: beside[role].data for role in ("test", "validation") if role in beside}}
    accepted, sides = memo.snapshot_of(files, config, findings)
    if not accepted:
        return None, None, None, ""
    epochs = int(config.parameters.get("num_train_epochs", DEFAULT_EPOCHS))
    served = repr((config.gate.better_than_live, config.deploy.canary))
    return (folder, sides, epochs), config.gate.eval_loss_at_most, config.budget.max_cost_usd, served


def key_of(spec: JobSpec, files: dict[str, bytes | None]) -> tuple[Any, ...]:
    """The same of a job, from what it reads."""
    folder = spec.files["train"].rpartition("/paths/")[2].split("/")[0]
    sides = tuple(sorted((side, hash(data)) for side, data in files.items()))
    return folder, sides, int(spec.parameters["num_train_epochs"])
