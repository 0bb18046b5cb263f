"""The part of the report's document that says what is in a dataset: its profile, and what training it would cost."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

Count = Annotated[int, Meta(ge=0, le=2**53)]
Number = Annotated[float, Meta(ge=0, le=2**53)]
Share = Annotated[float, Meta(ge=0, le=1)]


class Bin(msgspec.Struct, frozen=True):
    """A bar of a histogram: how many rows lie from `from` to `to`, both included."""

    low: Count = msgspec.field(name="from")
    high: Count = msgspec.field(name="to")
    rows: Count


class Distribution(msgspec.Struct, frozen=True, kw_only=True):
    """How a number is spread over the rows."""

    min: Number = 0
    median: Number = 0
    p95: Annotated[Number, Meta(description="95 of 100 rows have at most this much")] = 0
    max: Number = 0
    mean: Number | None = None
    histogram: list[Bin] = []


class Pattern(msgspec.Struct, frozen=True):
    """An order of roles, and how many rows have it."""

    roles: list[str]
    rows: Count


class Tokens(msgspec.Struct, frozen=True, kw_only=True):
    """The base model's tokens, in all and in the answers that train."""

    total: Count = 0
    answers: Count | None = None
    basis: Annotated[str, Meta(description="how they were counted")] = ""
    error: Annotated[Number | None, Meta(description="relative error of an estimate, 0.04 for 4 %")] = None
    exact: bool = False


class Language(msgspec.Struct, frozen=True):
    """A script and its share of the letters."""

    script: str
    share: Share


class Extreme(msgspec.Struct, frozen=True):
    """The longest or the shortest row."""

    line: Count
    characters: Count


class Personal(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of personal data or secret: how often and where it was seen, never what it says."""

    kind: str
    name: str = ""
    count: Count
    lines: Annotated[list[Count], Meta(description="the first lines with it")] = []
    secret: bool = False


class Message(msgspec.Struct, frozen=True):
    """A message of a sample row."""

    role: str
    content: str | None = None
    characters: Annotated[Count | None, Meta(description="of the whole content, where it was cut")] = None


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """What is in the rows, in numbers."""

    rows: Count = 0
    characters: Count = 0
    roles: Annotated[dict[str, Count], Meta(description="messages of each role")] = {}
    patterns: list[Pattern] = []
    turns: Distribution | None = None
    characters_a_row: Distribution | None = None
    answer_characters_a_row: Distribution | None = None
    tokens_a_row: Distribution | None = None
    tokens: Tokens | None = None
    tokens_estimate: Count = 0
    tokens_basis: str = ""
    languages: list[Language] = []
    duplicates: Count = 0
    duplicates_basis: str = ""
    longest: Extreme | None = None
    shortest: Extreme | None = None
    pii: list[Personal] = []
    sample: list[list[Message]] = []


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """What a run would cost and last, told before anything is spent."""

    usd: Number | None = None
    usd_low: Number | None = None
    usd_high: Number | None = None
    hours: Number | None = None
    hours_low: Number | None = None
    hours_high: Number | None = None
    tokens: Count | None = None
    epochs: Number | None = None
    size: str = ""
    nodes: Count | None = None
    gpus: Count | None = None
    basis: Annotated[list[str], Meta(description="what the estimate rests on")] = []


class Figure(msgspec.Struct, frozen=True):
    """A line of the table of figures."""

    name: str
    values: list[Any]


class Table(msgspec.Struct, frozen=True):
    """The distributions as a table, a line each."""

    columns: list[str]
    rows: list[Figure]
