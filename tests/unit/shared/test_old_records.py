"""Invariant 19: records of every released version load, and the table has a step or a rest for each.

`fixtures/records-v1`: written by droptune 48a6943 in a box (`rolled_back` and `withdrawn` entered by its code).
"""

from __future__ import annotations

import msgspec
import pytest
from old_records import OldRecord, old_records

from shared.azure.blobs import Container
from shared.errors import UnreadableError
from shared.lifecycle.table import MOVES, STEPS
from shared.runs import store
from shared.runs.records import KINDS, SCHEMA, Endpoint, rests

V1 = old_records(1)


@pytest.fixture
def stored(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """The blobs that a container gives."""
    blobs: dict[str, bytes] = {}
    monkeypatch.setattr(Container, "read", lambda self, path: (blobs[f"{self.name}/{path}"], "etag"))
    return blobs


def load(stored: dict[str, bytes], old: OldRecord, data: bytes | None = None) -> store.Loaded:
    identity = old.fields["id"]
    stored[f"{store.CONTAINERS[old.kind]}/{identity}.json"] = old.data if data is None else data
    return store.load(old.kind, identity)


def test_there_is_one_of_every_state_that_the_table_knows() -> None:
    known = {(kind, state) for kind, moves in MOVES.items() for state in moves}
    assert known <= {(old.kind, old.fields["state"]) for old in V1}


@pytest.mark.parametrize("old", V1, ids=lambda old: old.name)
def test_a_record_of_the_first_version_loads_whole_and_is_written_as_todays(
    stored: dict[str, bytes], old: OldRecord
) -> None:
    loaded = load(stored, old)
    assert loaded.record.schema == SCHEMA
    written = msgspec.to_builtins(loaded.record)
    # Nothing that it said is lost, and what it did not know has its default.
    for field, value in old.fields.items():
        if field not in ("schema", "billed"):
            assert written[field] == value, field
    for before, after in zip(old.fields.get("billed", []), written.get("billed", []), strict=True):
        assert before.items() <= after.items()
    again = msgspec.json.decode(msgspec.json.encode(loaded.record), type=KINDS[old.kind])
    assert again == loaded.record


@pytest.mark.parametrize("old", V1, ids=lambda old: old.name)
def test_the_table_has_a_step_for_it_or_it_rests(stored: dict[str, bytes], old: OldRecord) -> None:
    record = load(stored, old).record
    step = STEPS[old.kind].get(record.state)
    assert (step is not None) or rests(record)
    if isinstance(record, Endpoint):
        assert rests(record) == (old.name in ("endpoint-absent", "endpoint-asleep"))
    else:
        assert rests(record) == (step is None)


def test_a_record_of_a_version_to_come_is_refused_and_says_what_to_do(stored: dict[str, bytes]) -> None:
    newer = V1[0].data.replace(b'"schema": 1', f'"schema": {SCHEMA + 1}'.encode())
    with pytest.raises(UnreadableError, match=f"schema {SCHEMA + 1}, newer than {SCHEMA}") as told:
        load(stored, V1[0], newer)
    assert told.value.fix == "deploy the newer droptune again"
