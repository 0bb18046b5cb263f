"""What the webhooks that folders name were told: how each run rests, where they answer; nothing else, and not for ever."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from shared.datasets.config import parse
from shared.runs.records import RUN_RESTS
from tests.simulation.checker import Judge, shows
from tests.simulation.history import History
from tests.simulation.kernel import EPOCH
from tests.simulation.outside.blobs import Written
from tests.simulation.outside.online import CANARY
from tests.simulation.outside.webhooks import ANSWERS, SECRET, Post

TRIES = 9
CUT_OFF = 3  # so many of them may have died with their process before they arrived
HOLDS = ("runs", "uploads", "datasets")  # where an address may stand: the records, and the file that names it


class Notices(Judge):
    """Posts, and the records that they are about."""

    def __init__(self, history: History) -> None:
        super().__init__(history)
        self.times: Counter[tuple[str, str]] = Counter()
        self.world = self.simulation.world
        self.world.webhooks.heard.append(self.at_rest_and_bounded)
        self.world.blobs.heard.append(self._written)

    @shows(37, 44)
    def at_rest_and_bounded(self, post: Post) -> None:
        """37, 44: a webhook is told what its run's record says of its rest, nine times at most, and no secret."""
        document, told = post.document, post.document["data"]
        kind, _, identity = str(document["subject"]).partition("/")
        record = self._record(kind, identity)
        entry = (told["state"], document["time"])
        if told["state"] not in (*RUN_RESTS, "rejected") or entry not in _timeline(record):
            self.wrong((44,), f"{post.place} was told {entry} of {identity}, whose history is {_timeline(record)}")
        if not self.simulation.webhooks.get(told["name"], "").startswith(f"https://{post.place}/"):
            self.wrong((44,), f"{post.place} was told of {identity}, whose folder does not name it")
        self.times[post.id, post.place] += 1
        if self.times[post.id, post.place] > TRIES:
            self.wrong((37,), f"{post.place} was told {post.id} more than {TRIES} times")
        if SECRET in repr(document) or CANARY in repr(document):
            self.wrong((44,), f"a secret was told to {post.place}")

    def _written(self, written: Written) -> None:
        if not written.data or SECRET.encode() not in written.data:
            return
        if written.container not in HOLDS or ".report." in written.path:
            self.wrong((44,), f"a webhook's address stands in {written.container}/{written.path}")

    def end_published(self) -> None:
        """No event tells an address."""
        for _, kind, subject, data in self.world.topics.published:
            if SECRET in repr(data):
                self.wrong((44,), f"a webhook's address stands in the event {kind} of {subject}")

    def goes_on(self) -> str:
        """Whom a webhook that answers has not been told of yet."""
        return next((f"nobody told {place} of {event}" for place, event in self._owed()), "")

    @shows(44, 45)
    def end_told(self) -> None:
        """44, 45: a webhook that answers knows how each run of its folder rests, and each file that was rejected."""
        for place, event in self._owed():
            self.wrong((44, 45), f"{place} was never told of {event}")

    def _owed(self) -> Iterator[tuple[str, str]]:
        for folder, address in self.simulation.webhooks.items():
            place = address.removeprefix("https://").partition("/")[0]
            if place.partition("-")[0] in ANSWERS and (since := self._named_since(folder)):
                for event in self._events(folder, since):
                    told = (place, event) in self.world.webhooks.answered
                    if not told and self.world.webhooks.tried[event] < TRIES - CUT_OFF:
                        yield place, event

    def _named_since(self, folder: str) -> float:
        """Since when every `droptune.toml` of a folder named its webhook and was one that is accepted; 0: not now."""
        since = 0.0
        for version in self.history.versions[folder]:
            if version.role == "config":
                config, findings = parse(version.data)
                good = not findings and config.notify.webhook == self.simulation.webhooks[folder]
                since = (since or version.since) if good else 0.0
        return since

    def _events(self, folder: str, since: float) -> Iterator[str]:
        """What must have been told: all that rests where it was named from the beginning, else the newest of the folder."""
        always, newest = since < EPOCH + 5.0, self._newest(folder)
        for record in (*self._records("runs"), *self._records("uploads")):
            of_run = "attempt" in record
            if record.get("name") != folder or record["state"] not in (RUN_RESTS if of_run else ("rejected",)):
                continue
            if not of_run and not self._is_wrong(record):
                continue
            if always or (of_run and record["id"] == newest):
                yield f"{record['id']}@{rests_since(record)}"

    def _newest(self, folder: str) -> str:
        wishes = self.history.wishes(folder)
        if not wishes or not wishes[-1].current or self.simulation.permanent:
            return ""
        newest = wishes[-1]
        if int(newest.order[0]) in {int(wish.order[0]) for wish in wishes if wish.path != newest.path}:
            return ""
        return str(self.simulation.report(newest.path).get("run", ""))

    def _is_wrong(self, upload: dict[str, Any]) -> bool:
        """Whether the rules rejected a file, and no service that said no before anybody could read whom to tell."""
        where = (upload["path"], upload["etag"])
        wishes = self.history.wishes(str(upload["name"]))
        return not self.simulation.permanent and any(
            wish.key is None and (wish.path, wish.etag) == where for wish in wishes
        )

    def _records(self, container: str) -> Iterator[dict[str, Any]]:
        for path in self.world.blobs.containers.get(container, {}):
            if record := self._record(container, path.removesuffix(".json")):
                yield record

    def _record(self, container: str, identity: str) -> dict[str, Any]:
        found = self.world.blobs.containers.get(container, {}).get(f"{identity}.json")
        try:
            return dict(json.loads(found.data)) if found else {}
        except ValueError:
            return {}


def _timeline(record: dict[str, Any]) -> list[tuple[str, str]]:
    return [(entry["state"], entry["at"]) for entry in record.get("timeline", [])]


def rests_since(record: dict[str, Any]) -> str:
    """When a record came to rest, as its history says."""
    since = ""
    for state, at in reversed(_timeline(record)):
        if state != record["state"]:
            break
        since = at
    return since
