"""The report's document, `<file>.report.json`, as types: its schema is made from them and the page is drawn from them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from shared.reports.answers import Evaluation
from shared.reports.contents import Count, Estimate, Message, Number, Profile, Table
from shared.reports.fitting import fit

DIALECT = "https://json-schema.org/draft/2020-12/schema"


class Excerpt(msgspec.Struct, frozen=True):
    """A piece of the broken line, cut around the place that is marked."""

    before: str = ""
    marked: str = ""
    after: str = ""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong, or that training will see otherwise than it was written."""

    code: str
    severity: Literal["error", "warning"]
    message: str = ""
    fix: Annotated[str, Meta(description="how to mend it")] = ""
    line: Annotated[Count | None, Meta(description="counts from 1; null for the file as a whole")] = None
    field: Annotated[str | None, Meta(description="the path in the row, such as messages[2].role")] = None
    file: Annotated[str | None, Meta(description="a file beside the dataset; null for the dataset itself")] = None
    excerpt: Excerpt | None = None


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """How often a kind of finding was met in the whole file, also where not each is listed."""

    code: str
    severity: Literal["error", "warning"]
    count: Count
    what: str = ""


class Moment(msgspec.Struct, frozen=True):
    """A line of the timeline; `at` is UTC in ISO 8601."""

    state: str
    at: str
    detail: str = ""


class Metrics(msgspec.Struct, frozen=True):
    """The training's metrics: the last values, and a curve of (step, value) for each loss."""

    curves: dict[str, list[tuple[float, float]]] = {}


class Cost(msgspec.Struct, frozen=True):
    """What the run did cost."""

    estimate_usd: Number | None = None
    training_seconds: Number | None = None
    training_usd: Number | None = None


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an upload: written beside it at its verdict, and again when its run comes to rest."""

    file: Annotated[str, Meta(description="the upload's path in the container")]
    state: Annotated[str, Meta(description="the upload's verdict, or its run's end", examples=["rejected", "live"])]
    etag: str = ""
    name: Annotated[str, Meta(description="the folder, and the model's name")] = ""
    reason: str = ""
    fix: Annotated[str, Meta(description="what to do about the reason")] = ""
    accepted: bool | None = None
    rows: Count = 0
    findings_total: Count = 0
    findings: Annotated[list[Finding], Meta(description="at most 100, the first of each kind among them")] = []
    kinds: list[Kind] = []
    counts: Annotated[dict[str, Count], Meta(description="rows a side: train, validation, test")] = {}
    profile: Profile | None = None
    estimate: Estimate | None = None
    run: str = ""
    timeline: list[Moment] = []
    metrics: Metrics | None = None
    evaluation: Annotated[Evaluation | None, Meta(description="the model's answers to test rows")] = None
    model: Annotated[dict[str, Any] | None, Meta(description="the registered model")] = None
    endpoint: Annotated[dict[str, Any] | None, Meta(description="the endpoint, where the run is live")] = None
    cost: Cost | None = None
    table: Table | None = None
    sample: list[list[Message]] = []


def read(document: object) -> Report:
    """What of a document is a report; parts that are not what the schema says are left out, so a page always comes."""
    plain = document if isinstance(document, dict) else {}
    known = {"file": str(plain.get("file", "")), "state": str(plain.get("state", ""))}
    return fit({**plain, **known}, Report) or Report(file=known["file"], state=known["state"])


def schema() -> dict[str, Any]:
    """The JSON Schema of a report's document (docs/report.schema.json)."""
    made: dict[str, Any] = msgspec.json.schema(Report)
    return {"$schema": DIALECT, "title": "A droptune report, FILE.report.json", **made}
