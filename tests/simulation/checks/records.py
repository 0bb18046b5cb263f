"""Our records: one writer, a chain of versions, and no state that the table does not allow."""

from __future__ import annotations

from typing import Any

import msgspec

from shared.lifecycle.table import MOVES
from tests.simulation.checker import Judge, shows
from tests.simulation.history import History
from tests.simulation.outside.blobs import RECORDS, Written

KINDS = {"uploads": "upload", "runs": "run", "endpoints": "endpoint"}


class _Entry(msgspec.Struct):
    state: str


class _Told(msgspec.Struct):
    """Of a record, what is judged."""

    state: str
    timeline: list[_Entry] = []


class Records(Judge):
    """The history of each record."""

    def __init__(self, history: History) -> None:
        super().__init__(history)
        self.etags: dict[str, str] = {}
        self.timelines: dict[str, list[Any]] = {}
        self.simulation.world.blobs.heard.append(self._written)

    def _written(self, written: Written) -> None:
        if self.simulation.kernel.current is None or "/use/" in written.path:
            return
        if written.container in RECORDS:
            self.a_chain(written)
            if written.data is not None:
                self.moves(written)

    @shows(14, 13, 15)
    def a_chain(self, written: Written) -> None:
        """13, 14, 15: a record is written over the version that was read, or made where there was none; never blindly."""
        place = f"{written.container}/{written.path}"
        last = self.etags.get(place)
        if not written.condition:
            self.wrong((14,), f"{place} was written without a condition")
        elif last is not None and written.condition != f"match {last}":
            self.wrong((14,), f"{place} was written over a version that was not its last")
        self.etags[place] = written.etag

    @shows(43)
    def moves(self, written: Written) -> None:
        """43: a record's states follow each other as the table says."""
        place, kind = f"{written.container}/{written.path}", KINDS[written.container]
        record = msgspec.json.decode(written.data or b"", type=_Told)
        timeline = [entry.state for entry in record.timeline]
        before = self.timelines.get(place)
        if before is not None and timeline[: len(before)] != before:
            self.wrong((43,), f"{place} lost a part of its history: {before} became {timeline}")
        begin = max(len(before) if before else 0, 1)
        for state, other in zip(timeline[begin - 1 :], timeline[begin:], strict=False):
            if state != other and other not in MOVES[kind].get(state, ()) and (kind, state) != ("run", "received"):
                self.wrong((43,), f"{place} went from {state} to {other}")
        if record.state != (timeline[-1] if timeline else record.state):
            self.wrong((43,), f"{place} is {record['state']}, and its history ends with {timeline[-1]}")
        self.timelines[place] = timeline
