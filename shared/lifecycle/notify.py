"""Telling a dropper's webhook how a run rests: at least once where it answers, at most nine times, and nobody waits for it.

The record says who is to be told (`notice`) and when the next try is due (`next_look`). A try is written into the record
before it is made: two functions never make the same one, and one that is killed by it has made it. What was not told yet
keeps the marker by which `reconcile` finds it; a message only makes it faster.
"""

from __future__ import annotations

from typing import Any

import msgspec

from shared.azure.outside import outside
from shared.azure.seen import Reply
from shared.datasets.config import Config, config_finding
from shared.datasets.findings import Finding
from shared.errors import RejectedError
from shared.lifecycle import begin, news
from shared.runs import store, work
from shared.runs.records import Endpoint, Moment, Notice, Record, Run, Upload, now, rests, rests_since
from shared.settings import settings
from shared.webhook import Webhook, listed, parse

PAUSES = (10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1200.0)  # between the tries: the last comes after 54 minutes
LONGEST_PAUSE = 1800.0  # that a webhook may ask for
NOT_LISTED = "its host is not on the operator's list"
Untold = store.Loaded[Any]  # a run or an upload


def refused(config: Config, data: bytes | None) -> list[Finding]:
    """What the operator does not allow of the webhook that a `droptune.toml` names."""
    if config.notify.webhook is None:
        return []
    place = parse(config.notify.webhook)
    if _is_listed(place):
        return []
    told = f"notify.webhook: the host {place.place} is not on the operator's list"
    return [config_finding(data, "notify.webhook", told, f"have {place.place} added to DROPTUNE_WEBHOOK_HOSTS")]


def _is_listed(place: Webhook) -> bool:
    return listed(place, settings().webhook_hosts) or _is_private(place)


def _is_private(place: Webhook) -> bool:
    return listed(place, settings().webhook_private_hosts)


def named(notice: Notice, webhook: str) -> Notice:
    """The notice where this webhook is named now; another one has been told nothing yet."""
    return notice if notice.webhook == webhook else Notice(webhook)


def adopt(known: Run, asked: Run) -> bool:
    """Takes the webhook of a later verdict on the same run; True where it is another one: the run is to be renewed."""
    if asked.notice.webhook == known.notice.webhook or begin.order(asked) <= begin.order(known):
        return False
    known.notice = Notice(asked.notice.webhook)
    if rests(known):
        store.mark_active("run", known.id)  # it is to be told how it rests already
    return True


def waits(record: Record) -> bool:
    """Whether a webhook does not know yet how a record rests."""
    if not isinstance(record, Run | Upload) or not record.notice.webhook:
        return False
    if not rests(record) or (isinstance(record, Upload) and record.state != "rejected"):
        return False
    return not (record.notice.over and record.notice.of == rests_since(record))


def tell(loaded: Untold, due: str) -> str:
    """Makes the try that is due, if one is, and says in a few words what became of it.

    `due` names the message that brought the look: one that comes before its time makes no try.

    Raises:
        ServiceError: the record cannot be read or written, or somebody else changed it.
    """
    record = loaded.record
    if not waits(record) or (due != record.next_look and work.is_ahead(record)):
        return ""
    place = parse(record.notice.webhook)
    if not _is_listed(place):
        return _give_up(loaded, place, NOT_LISTED)
    if _tries(record) > len(PAUSES):
        return _give_up(loaded, place, "the last try was cut off")
    endpoint = _endpoint(record)
    _claim(loaded)
    try:
        body, headers = news.document(record, endpoint), news.headers(record)
        reply = outside().webhooks.post(place, body, headers, private=_is_private(place))
    except RejectedError as error:
        return _again(loaded, place, error.reason)
    if 200 <= reply.status < 300:
        record.notice = msgspec.structs.replace(record.notice, over=True)
        record.wait()
        store.save(loaded)
        return f", and {place.place} was told"
    return _again(loaded, place, _told(reply), _asked(reply))


def _endpoint(record: Run | Upload) -> Endpoint | None:
    found = store.find("endpoint", record.name) if isinstance(record, Run) else None
    return found.record if found is not None else None


def _tries(record: Run | Upload) -> int:
    """How many tries were made for how the record rests now."""
    return record.notice.tries if record.notice.of == rests_since(record) else 0


def _claim(loaded: Untold) -> None:
    """Writes into the record that a try is made, and when the next one is due."""
    record, tries = loaded.record, _tries(loaded.record)
    record.notice = msgspec.structs.replace(record.notice, of=rests_since(record), tries=tries + 1, over=False)
    record.wait(PAUSES[min(tries, len(PAUSES) - 1)])
    store.save(loaded)


def _again(loaded: Untold, place: Webhook, why: str, asked: float = 0.0) -> str:
    """Asks for the next look at the time that the record says, or later where the webhook asked for that."""
    record, tries = loaded.record, loaded.record.notice.tries
    if tries > len(PAUSES):
        return _give_up(loaded, place, f"{why}, {tries} times")
    pause = max(asked, PAUSES[tries - 1])
    if pause > PAUSES[tries - 1]:
        record.wait(pause)
        store.save(loaded)
    work.follow(record, pause)
    return f", and {place.place} was not told: {why}; again in {pause:.0f} s"


def _give_up(loaded: Untold, place: Webhook, why: str) -> str:
    """Notes for people that the webhook was not told; how the run rests is as it was."""
    record = loaded.record
    record.notice = msgspec.structs.replace(record.notice, of=rests_since(record), over=True)
    record.timeline.append(Moment(record.state, now(), f"the webhook at {place.place} was not told: {why}"))
    record.wait()
    store.save(loaded)
    return f", and {place.place} was not told: {why}"


def _told(reply: Reply) -> str:
    reasons = {0: "it could not be reached", 408: "it did not answer in time"}
    return reasons.get(reply.status, f"it answered {reply.status}")


def _asked(reply: Reply) -> float:
    """The pause that an answer asks for, in seconds."""
    try:
        return min(LONGEST_PAUSE, float(reply.headers.get("retry-after", 0)))
    except ValueError:
        return 0.0
