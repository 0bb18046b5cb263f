"""The hard end of an endpoint (`delete_after`): told a while before, then all of it goes, address and keys too.

The models stay registered; the same dataset, dropped again, brings an endpoint of the same address back.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from shared.azure.blobs import Container
from shared.azure.outside import outside
from shared.endpoints import deployments
from shared.errors import ForeignResourceError
from shared.idle import hours
from shared.idle.window import told
from shared.lifecycle import telling
from shared.lifecycle.outcome import Again, Enter, Leave, Outcome
from shared.lifecycle.steps.billing import close_interval
from shared.runs.records import Endpoint, Moment, moment, stamp
from shared.settings import settings

WARN_SECONDS = 86400.0
WARN_SHARE = 0.2  # of a short life
LONGEST_PAUSE = 3600.0
OVER = "the time of its endpoint was over (delete_after)"


def is_over(record: Endpoint) -> bool:
    """Whether its end has come; one that is to serve a newer run gets a new end with it."""
    if record.ending or not record.ends or record.deploying:
        return record.ending
    return stamp(Container("endpoints").now()) >= record.ends


def warn(record: Endpoint) -> bool:
    """Tells, once, that the end comes; True where the record changed."""
    if not record.ends or record.end_warned == record.ends:
        return False
    present, end = Container("endpoints").now(), moment(record.ends)
    if present < _warns_at(record):
        return False
    record.end_warned = record.ends
    left = told(max(0.0, (end - present).total_seconds()))
    text = f"is deleted in {left}, at {record.ends[:16]}Z; `droptune endpoints keep {record.name}` puts it off"
    record.timeline.append(Moment(record.state, stamp(present), text))
    telling.soon(record, "Droptune.EndpointDeletedSoon", record.ends, text)
    return True


def _warns_at(record: Endpoint) -> datetime:
    return moment(record.ends) - timedelta(seconds=min(WARN_SECONDS, WARN_SHARE * record.delete_after))


def asleep(record: Endpoint) -> Outcome:
    """What a sleeping endpoint waits for by itself: its hours, the warning, the end."""
    if not record.awake and not record.ends:
        return Leave()
    changed, present = warn(record), Container("endpoints").now()
    due = [hours.parse(record.awake).next_begin(present)] if record.awake and record.model_id else []
    if record.ends:
        due += [moment(record.ends)] if record.end_warned == record.ends else [_warns_at(record)]
    wait = min(((at - present).total_seconds() for at in due), default=LONGEST_PAUSE)
    return Again(min(LONGEST_PAUSE, max(1.0, wait)), changed=changed)


def delete(record: Endpoint) -> Outcome:
    """One look at the deletion; that it ends is in the record first, so that no newer run begins to use it meanwhile."""
    if not record.ending:
        record.ending = True
        return Again(0.0, changed=True)
    if not gone(record):
        return Again(settings().poll)
    for entry in record.billed:
        close_interval(record, entry.deployment)
    record.ended = record.run
    record.run = record.deployment = record.model_id = record.scoring_uri = record.ends = ""
    record.leaving, record.wake_wanted, record.ending = [], False, False
    return Enter("absent", OVER)


def gone(record: Endpoint) -> bool:
    """Deletes the endpoint; True once it is there no more, by two witnesses. One that is somebody else's is none of ours."""
    try:
        found = deployments.find_endpoint(record.endpoint_name, record.name)
    except ForeignResourceError:
        return True
    if found is None:
        return not deployments.is_listed(record.endpoint_name)
    if found.state != "deleting":
        outside().online.delete(record.endpoint_name)
    return False
