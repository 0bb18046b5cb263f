"""A registered run: the gate, then win the endpoint's record. Nothing that bills is made before it is recorded."""

from __future__ import annotations

from typing import Any

from shared.azure.outside import outside
from shared.endpoints.target import ask_to_wake
from shared.evaluation import gate
from shared.lifecycle import begin, closing
from shared.lifecycle.outcome import NEWER, Again, Enter, Outcome
from shared.models import registration
from shared.runs import identity, store
from shared.runs.records import Endpoint, Run, now
from shared.settings import settings


def deploy(run: Run) -> Outcome:
    """Lets the run through the gate and makes it the one that its endpoint deploys."""
    if (told := gate.by_loss(run.config.get("gate") or {}, run.metrics)) and not run.rollout.get("back"):
        registration.tag(run.model, {"droptune-gate": f"gated_out: {told}"[:256]})
        return Enter("gated_out", told, told, gate.FIX)
    loaded = _record(run)
    record: Endpoint = loaded.record
    if record.ending:
        return Again(settings().poll)  # it is being deleted: it is made again after
    mine = begin.order(run)
    if record.newest > mine:
        return Enter("superseded", NEWER, NEWER)
    if _waits_for_live(run, record):
        return Again(settings().poll, changed=True)
    deployment = record.deployment if record.run == run.id else _win(loaded, run, mine)
    run.endpoint = {
        "name": record.endpoint_name,
        "deployment": deployment,
        "instance_type": (run.config.get("deploy") or {}).get("instance_type") or settings().instance_type,
        "traffic": 0,
        "scoring_uri": "",
    }
    return Enter("deploying", f"{record.endpoint_name}/{run.endpoint['deployment']}")


def _waits_for_live(run: Run, record: Endpoint) -> bool:
    """A gate that asks for better than live wakes the live model, once, to hear it: later a newer run would hold it back."""
    asks = (run.config.get("gate") or {}).get("better_than_live") and not run.rollout.get("back")
    if not asks or not record.model_id or record.run in ("", run.id):
        return False
    if record.state in ("waking", "falling_asleep") or record.wake_wanted:
        return True
    if record.state != "asleep" or run.evaluation.get("woken"):
        return False
    ask_to_wake(run.name)
    run.evaluation = {"woken": True}
    return True


def _win(loaded: store.Loaded[Endpoint], run: Run, order: str) -> str:
    """Makes the run the one that the endpoint deploys; the name of its deployment."""
    record = loaded.record
    record.newest, record.deploying = order, run.id
    record.generation += 1
    if (old := str(run.endpoint.get("deployment", ""))) != record.deployment:
        closing.leave(record, old, run.id)  # of an earlier time that the run had the endpoint
    if record.state == "absent":
        record.enter("asleep", "made")
    store.save(loaded)
    return identity.deployment_name(run.id, record.generation)


def _record(run: Run) -> Any:
    wanted = identity.endpoint_name(run.name, outside().workspace_id())
    record = Endpoint(id=run.name, name=run.name, state="absent", created=now(), endpoint_name=wanted)
    return store.find("endpoint", run.name) or store.create(record) or store.load("endpoint", run.name)
