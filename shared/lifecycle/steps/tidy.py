"""What an endpoint left behind, whatever its state: deployments that must go, runs that are superseded."""

from __future__ import annotations

from shared.endpoints import rollout
from shared.errors import ForeignResourceError
from shared.lifecycle.outcome import Again, Leave, Outcome
from shared.lifecycle.steps.billing import close_interval
from shared.runs import store
from shared.runs.records import Endpoint
from shared.settings import settings


def tidy(record: Endpoint) -> bool:
    """One look at each; True where the record changed."""
    before = (list(record.leaving), list(record.retired))
    for run in list(record.retired):
        _retire(run, record.run)
        record.retired = [other for other in record.retired if other != run]
    for entry in list(record.leaving):
        if entry.deployment == record.deployment or _gone(record, entry.deployment, entry.run):
            record.leaving = [other for other in record.leaving if other != entry]
    return before != (record.leaving, record.retired)


def _gone(record: Endpoint, deployment: str, run: str) -> bool:
    try:
        gone = rollout.take_down(record.endpoint_name, record.name, deployment, run)
    except ForeignResourceError:
        return True  # whatever bears this name now is not ours to touch
    if gone:
        close_interval(record, deployment)
    return gone


def _retire(old: str, by: str) -> None:
    loaded = store.find("run", old)
    if loaded is not None and loaded.record.state == "live" and old != by:
        loaded.record.endpoint = {**loaded.record.endpoint, "traffic": 0}
        loaded.record.enter("superseded", f"by run {by}")
        loaded.record.reason = f"a newer upload of this folder has the endpoint (run {by})"
        store.save(loaded)


def pause(record: Endpoint, outcome: Outcome, changed: bool) -> Outcome:
    """The outcome, with a further look where something has yet to go, and a save where something went."""
    if isinstance(outcome, Leave) and (record.leaving or changed):
        return Again(min(1.0, settings().poll) if record.leaving else settings().watch, changed=True)
    if isinstance(outcome, Again) and changed:
        return Again(outcome.delay, changed=True)
    return outcome
