"""The end of a chaos run as plain data: what the checker judges, and what is kept beside the history."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.chaos.wishes import Wish
from tests.chaos.world import FOREIGN_ENDPOINT, FOREIGN_JOB, World

ENDED_JOBS = ("Completed", "Failed", "Canceled")


@dataclass
class Seen:
    """Everything outside, once all rests. `trained` are the words of the rows that a job was given; times are ISO 8601."""

    jobs: list[dict[str, Any]] = field(default_factory=list)
    models: list[str] = field(default_factory=list)
    endpoints: dict[str, list[str]] = field(default_factory=dict)
    bill: list[dict[str, Any]] = field(default_factory=list)
    reports: dict[str, dict[str, Any]] = field(default_factory=dict)
    strangers: dict[str, Any] = field(default_factory=dict)
    secrets_in: list[str] = field(default_factory=list)
    calls: list[dict[str, Any]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The same for a file."""
        return asdict(self)


def look(world: World, wishes: list[Wish], calls: list[dict[str, Any]]) -> Seen:
    """Looks at everything, once."""
    return Seen(
        jobs=[_job(world, job, wishes) for job in pipelines(world)],
        models=_models(world),
        endpoints=endpoints(world),
        bill=world.emulator("billing")["deployments"],
        reports={wish.path: world.report(wish.path) for wish in wishes},
        strangers=world.strangers(),
        secrets_in=_secrets_in(world),
        calls=calls,
    )


def pipelines(world: World) -> list[dict[str, Any]]:
    """All jobs but the steps of others and the stranger's."""
    return [job for job in world.all("/jobs") if job["name"] != FOREIGN_JOB]


def endpoints(world: World) -> dict[str, list[str]]:
    """Names of endpoints and of their deployments, but for the stranger's."""
    names = [one["name"] for one in world.all("/onlineEndpoints") if one["name"] != FOREIGN_ENDPOINT]
    return {name: [one["name"] for one in world.all(f"/onlineEndpoints/{name}/deployments")] for name in names}


def _job(world: World, job: dict[str, Any], wishes: list[Wish]) -> dict[str, Any]:
    """Its name and state, and the words of the files that it trains on, read from those files."""
    text = json.dumps(job["properties"])
    paths = {part.split('"')[0] for part in text.split("/datastores/snapshots/paths/")[1:]}
    rows = b"".join(world.read("snapshots", path) for path in sorted(paths)).decode()
    trained = [wish.word for wish in wishes if wish.word in rows]
    return {"name": job["name"], "status": job["properties"]["status"], "trained": trained}


def _models(world: World) -> list[str]:
    names = [model["name"] for model in world.all("/models")]
    return [f"{name}:{one['name']}" for name in names for one in world.all(f"/models/{name}/versions")]


def _secrets_in(world: World) -> list[str]:
    """The logs and reports in which a secret of the box or a key of an endpoint stands."""
    canaries = {name: value for name, value in world.box.secrets.items() if len(value) > 15}
    canaries |= {name: world.environment[name] for name in ("DROPTUNE_KEY", "MLFLOW_TRACKING_TOKEN")}
    canaries["control"] = world.box.control_token
    for name in endpoints(world):
        keys = world.ask("POST", f"/onlineEndpoints/{name}/listKeys", {}) or {}
        canaries |= {f"{name}.{which}": value for which, value in keys.items() if value}
    reports = [name for name in world.names("datasets") if ".report." in name]
    texts = {path.name: path.read_text(errors="replace") for path in Path(world.home / "logs").glob("*.log")}
    texts |= {name: world.read("datasets", name).decode(errors="replace") for name in reports}
    return [f"{secret} in {name}" for name, text in texts.items() for secret, key in canaries.items() if key in text]
