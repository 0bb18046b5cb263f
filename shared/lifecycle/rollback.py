"""Back to the model before: one step while its deployment stands, a redeploy after. Nothing is trained again."""

from __future__ import annotations

from typing import Any

from shared.endpoints import deployments
from shared.errors import UserError
from shared.lifecycle import commands
from shared.lifecycle.table import MOVES
from shared.runs import store, work
from shared.runs.records import Endpoint, Leaving, Run

LATER = "|again"  # after all that was uploaded until now, and before whatever is uploaded next


def rollback(name: str) -> dict[str, Any]:
    """Brings the model back that was live before; a rollout that is under way is given up.

    Raises:
        NotFoundError: there is no such endpoint.
        UserError: there is no model before.
        LostRaceError: others change the records all the time.
    """
    commands.endpoint(name)
    record: Endpoint = store.load("endpoint", name).record
    if record.deploying:
        work.follow(commands.persistently("run", record.deploying, _give_up))
        return commands.endpoint(name)
    loaded = store.find("run", record.previous) if record.previous else None
    if loaded is None or not loaded.record.model:
        raise UserError(f"{name} has no model before this one", "drop the data that it should be trained on")
    if "registered" not in MOVES["run"].get(loaded.record.state, ()):
        told = f"the run before, {loaded.record.id}, is {loaded.record.state}"
        raise UserError(told, "follow it with `droptune runs follow`")
    _bring_back(name, loaded)
    if record.run:
        commands.persistently("run", record.run, _want_back)
    work.follow(loaded.record)
    return commands.endpoint(name)


def _give_up(run: Run) -> None:
    if run.state not in ("registered", "deploying"):
        raise UserError(f"the run is {run.state}", "ask again in a moment")
    run.rollback_wanted = True


def _want_back(run: Run) -> None:
    run.rollback_wanted = run.state == "live"


def _bring_back(name: str, loaded: store.Loaded[Run]) -> None:
    """The run before becomes the newest; where its deployment still stands, that gets the traffic at once."""
    run = loaded.record
    endpoint = store.load("endpoint", name)
    record: Endpoint = endpoint.record
    run.dataset = {**run.dataset, "order": record.newest.removesuffix(LATER) + LATER}
    run.rollout, run.evaluation, run.reason, run.fix = {"back": True}, {}, "", ""
    run.cancel_wanted = run.rollback_wanted = False
    run.wait()
    run.enter("registered", "rolled back to")
    store.save(loaded)
    standing = _standing(record, run)
    if standing:
        _take(endpoint, run, standing)
        run.enter("deploying", f"{record.endpoint_name}/{standing} still stands")
        store.save(loaded)


def _standing(record: Endpoint, run: Run) -> str:
    """The run's deployment, where it is on its way out and still up."""
    for entry in record.leaving:
        made = deployments.find_deployment(record.endpoint_name, entry.deployment) if entry.run == run.id else None
        if made is not None and made.state == "succeeded":
            return entry.deployment
    return ""


def _take(endpoint: store.Loaded[Any], run: Run, deployment: str) -> None:
    """Wins the endpoint's record for a deployment that was to leave; whoever is about to delete it loses the race.

    Raises:
        LostRaceError: the record was changed meanwhile: the run goes on by itself, with a new deployment.
    """
    record: Endpoint = endpoint.record
    record.leaving = [entry for entry in record.leaving if entry != Leaving(deployment, run.id)]
    record.newest, record.deploying = str(run.dataset["order"]), run.id
    record.wait()
    store.save(endpoint)
    run.endpoint = {
        "name": record.endpoint_name,
        "deployment": deployment,
        "instance_type": record.instance_type,
        "traffic": 0,
        "scoring_uri": "",
    }
