"""What an endpoint left behind, whatever its state: deployments that must go, runs that are superseded."""

from __future__ import annotations

from shared.endpoints import rollout
from shared.errors import ForeignResourceError, LostRaceError
from shared.lifecycle import ending, telling
from shared.lifecycle.outcome import NEWER, Again, Leave, Outcome
from shared.lifecycle.steps.billing import close_interval
from shared.runs import store, work
from shared.runs.records import Endpoint, Run, rests
from shared.settings import settings


def tidy(record: Endpoint) -> bool:
    """One look at each; True where the record changed."""
    before = (list(record.leaving), list(record.retired), record.deploying, record.ended)
    if record.deploying and _came_to_rest(record.deploying):
        record.deploying = ""
    record.retired = [run for run in record.retired if not _retired(run, record.run)]
    if record.ended and _retired(record.ended, ""):
        record.ended = ""
    for entry in list(record.leaving):
        if entry.deployment == record.deployment or _gone(record, entry.deployment, entry.run):
            record.leaving = [other for other in record.leaving if other != entry]
    return before != (record.leaving, record.retired, record.deploying, record.ended)


def _came_to_rest(run: str) -> bool:
    """Whether a run ended, and who noted that it is on its way was late: the endpoint must not wait for it."""
    loaded = store.find("run", run)
    return loaded is not None and rests(loaded.record)


def _gone(record: Endpoint, deployment: str, run: str) -> bool:
    try:
        gone = rollout.take_down(record.endpoint_name, record.name, deployment, run, record.deployment)
    except ForeignResourceError:
        gone = True  # whatever bears this name now is not ours to touch
    if gone:
        close_interval(record, deployment)
    return gone


def _retired(old: str, by: str) -> bool:
    """Moves a run that was live to `superseded`, or `cancelled` where its endpoint had its end, and not another run.

    False where somebody else changed it in this moment, or where the listing still shows what could not be found.
    """
    loaded = store.find("run", old)
    if loaded is None:
        return not store.is_listed("run", old)
    if loaded.record.state != "live" or old == by:
        return True
    run: Run = loaded.record
    run.endpoint = {**run.endpoint, "traffic": 0}
    if by and run.rollback_wanted:
        run.enter("rolled_back", f"to run {by}")
        run.reason = f"rolled back by hand to run {by}"
    elif by:
        run.enter("superseded", f"by run {by}")
        run.reason = f"{NEWER} (run {by})"
    else:
        run.enter("cancelled", ending.OVER)
        run.reason, run.fix = ending.OVER, "retry the run, or drop the dataset again with a later delete_after"
    run.rollback_wanted = False
    run.wait()
    try:
        store.save(loaded)
    except LostRaceError:
        return False
    telling.tell(loaded)
    work.follow(run)
    return True


def pause(record: Endpoint, outcome: Outcome, changed: bool) -> Outcome:
    """The outcome, with a further look where something has yet to go, and a save where something went."""
    left = record.leaving or record.retired or record.ended
    if isinstance(outcome, Leave) and (left or changed):
        return Again(settings().poll if left else settings().watch, changed=True)
    if isinstance(outcome, Again) and changed:
        return Again(outcome.delay, changed=True)
    return outcome
