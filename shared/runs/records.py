"""The records: small JSON documents, readable by people, with a versioned schema."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Literal, TypeVar

import msgspec

from shared import clock
from shared.idle.pauses import Pauses

UPLOAD_RESTS = ("accepted", "rejected", "duplicate", "withdrawn")
RUN_RESTS = ("live", "refused", "failed", "gated_out", "rolled_back", "cancelled", "superseded")
ENDPOINT_RESTS = ("absent",)

SCHEMA = 2  # what an older droptune wrote is read with the defaults of what it did not know

Kind = Literal["upload", "run", "endpoint"]


class Moment(msgspec.Struct, frozen=True, omit_defaults=True):
    """A line of a timeline; `at` is UTC in ISO 8601."""

    state: str
    at: str
    detail: str = ""


class Record(msgspec.Struct, kw_only=True):
    """What all records share: `next_look` is when the next message is due, in ISO 8601.

    `tries` counts the looks that met a passing fault since the last one that did not.
    """

    schema: int = SCHEMA
    id: str
    name: str
    state: str
    reason: str = ""
    fix: str = ""
    created: str = ""
    next_look: str = ""
    tries: int = 0
    timeline: list[Moment] = []

    def wait(self, seconds: float = 0.0) -> None:
        """Notes when the next look is due; what asks for it is `work.follow`."""
        self.next_look = stamp(clock.now() + timedelta(seconds=seconds))

    def enter(self, state: str, detail: str = "", at: str | None = None) -> None:
        """Moves to a state and writes it into the timeline."""
        self.state = state
        self.timeline.append(Moment(state, at or now(), detail))


class Notice(msgspec.Struct, frozen=True, omit_defaults=True):
    """Whom to tell how a record rests, and how far that is: `of` is the rest that `tries` were made for, till `over`.

    `webhook` is an address whose path is a secret.
    """

    webhook: str = ""
    of: str = ""
    tries: int = 0
    over: bool = False


class Upload(Record, kw_only=True):
    """A dropped file: (path, ETag) with what lay beside it when it was looked at; `published` as a run's."""

    path: str
    etag: str
    run: str = ""
    companions: dict[str, str] = {}
    notice: Notice = Notice()
    published: str = ""


class Run(Record, kw_only=True):
    """The way of one accepted dataset to a model behind an endpoint.

    `published` is when the rest began whose event the topic took.
    """

    attempt: int = 1
    cancel_wanted: bool = False
    rollback_wanted: bool = False
    dataset: dict[str, Any] = {}
    base_model: dict[str, str] = {}
    parameters: dict[str, Any] = {}
    config: dict[str, Any] = {}
    job: dict[str, Any] = {}
    metrics: dict[str, Any] = {}
    model: dict[str, str] = {}
    endpoint: dict[str, Any] = {}
    evaluation: dict[str, Any] = {}
    rollout: dict[str, Any] = {}
    cost: dict[str, Any] = {}
    notice: Notice = Notice()
    published: str = ""


class Interval(msgspec.Struct):
    """A time in which a deployment was billed."""

    deployment: str
    instance_type: str
    since: str
    until: str = ""
    run: str = ""


class Leaving(msgspec.Struct, frozen=True):
    """A deployment that is to be taken away, and the run whose tag it bears."""

    deployment: str
    run: str


class Endpoint(Record, kw_only=True):
    """What a folder's runs share: the desired deployment, its generation, when it was used, slept and woke.

    `newest` orders the uploads that had it; `leaving` are deployments that must go, `retired` runs that it left behind.
    `canary` is a deployment that has a part of the traffic for now, `previous` the run that was live before.
    `idle_after` bounds the window where it `learns` it from its `pauses`; `awake` are its hours, `woken_for` those that
    it was woken for; `ends` is when it is deleted, `ending` that this goes on, `ended` the run that it served till then;
    `warned` is the last use, and `end_warned` the end, of which people were warned.
    """

    endpoint_name: str
    generation: int = 0
    run: str = ""
    deployment: str = ""
    deploying: str = ""
    newest: str = ""
    model_id: str = ""
    instance_type: str = ""
    idle_after: float | None = None
    scoring_uri: str = ""
    awake_since: str = ""
    asleep_since: str = ""
    falling_since: str = ""
    wake_wanted: bool = False
    waking_since: str = ""
    wake_seconds: float = 0.0
    unknown_looks: int = 0
    billed: list[Interval] = []
    leaving: list[Leaving] = []
    retired: list[str] = []
    canary: str = ""
    previous: str = ""
    operations: dict[str, str] = {}
    learns: bool = False
    pauses: Pauses = Pauses()
    awake: str = ""
    woken_for: str = ""
    kept_until: str = ""
    delete_after: float = 0.0
    ends: str = ""
    warned: str = ""
    end_warned: str = ""
    ending: bool = False
    ended: str = ""


RecordType = TypeVar("RecordType", Upload, Run, Endpoint)
KINDS: dict[str, type[Upload] | type[Run] | type[Endpoint]] = {"upload": Upload, "run": Run, "endpoint": Endpoint}
CONTAINERS = {"upload": "uploads", "run": "runs", "endpoint": "endpoints"}
RESTS = {"upload": UPLOAD_RESTS, "run": RUN_RESTS, "endpoint": ENDPOINT_RESTS}


def kind_of(record: Record) -> str:
    """`upload`, `run` or `endpoint`."""
    return next(kind for kind, struct in KINDS.items() if isinstance(record, struct))


def rests(record: Record) -> bool:
    """Whether nothing is left to do for a record by itself."""
    if isinstance(record, Endpoint):
        if record.leaving or record.retired or record.ended:
            return False
        waits = record.wake_wanted or record.awake or record.ends
        return record.state == "absent" or (record.state == "asleep" and not waits)
    return record.state in RESTS[kind_of(record)]


def rests_since(record: Record) -> str:
    """When a record entered its state, as its timeline says; empty where that says nothing."""
    since = ""
    for moment in reversed(record.timeline):
        if moment.state != record.state:
            break
        since = moment.at
    return since


def now() -> str:
    """This moment in UTC, as records write it."""
    return stamp(clock.now())


def stamp(moment: datetime) -> str:
    """A moment as records write it: ISO 8601 in UTC, with milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def moment(text: str) -> datetime:
    """The moment that a record wrote."""
    return datetime.fromisoformat(text)
