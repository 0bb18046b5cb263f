"""Names, ids, records, events and the state machine's table."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.events import event_type
from shared.lifecycle.table import MOVES, STEPS
from shared.runs import identity, records
from shared.runs.records import Endpoint, Run, Upload

NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", fullmatch=True)
PARAMETERS = st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5) | st.booleans(), max_size=4)
WORKSPACE = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"


@given(NAMES, PARAMETERS, st.integers(1, 999))
def test_all_names_are_within_azures_limits(name: str, parameters: dict[str, object], attempt: int) -> None:
    run = identity.run_id(name, "snapshot", parameters, "model:1", {})
    job, deployment = identity.job_name(run, attempt), identity.deployment_name(run, attempt)
    endpoint = identity.endpoint_name(name, WORKSPACE)
    assert re.fullmatch(r"[a-z][a-z0-9-]{1,25}[a-z0-9]", endpoint)
    assert re.fullmatch(r"[a-z][a-z0-9-]{1,30}[a-z0-9]", deployment)
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,254}", job)
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}", identity.model_name(name))
    assert re.fullmatch(r"[a-z0-9-]{1,30}", identity.model_version(run, attempt))
    assert identity.run_of_job(job) == run


@given(NAMES, PARAMETERS)
def test_the_same_inputs_have_the_same_id_and_others_have_another(name: str, parameters: dict[str, object]) -> None:
    first = identity.run_id(name, "s", parameters, "m", {"gate": 1})
    assert identity.run_id(name, "s", dict(reversed(parameters.items())), "m", {"gate": 1}) == first
    others = [
        identity.run_id(name, "t", parameters, "m", {"gate": 1}),
        identity.run_id(name, "s", {**parameters, "another": 1}, "m", {"gate": 1}),
        identity.run_id(name, "s", parameters, "n", {"gate": 1}),
        identity.run_id(name, "s", parameters, "m", {"gate": 2}),
        identity.run_id(name + "x", "s", parameters, "m", {"gate": 1}),
    ]
    assert len({first, *others}) == 6


def test_names_that_look_alike_have_endpoints_of_their_own() -> None:
    assert identity.endpoint_name("a.b", WORKSPACE) != identity.endpoint_name("a-b", WORKSPACE)
    assert identity.endpoint_name("a", WORKSPACE) == identity.endpoint_name("a", WORKSPACE.upper())
    assert identity.upload_key("a", "a/x.jsonl", "1") != identity.upload_key("a", "a/x.jsonl", "2")


@pytest.mark.parametrize("job", ["", "droptune-", "droptune-acme-1", "keen_bear_abc", "droptune-acme-0123456789"])
def test_a_job_of_somebody_else_is_no_run(job: str) -> None:
    assert identity.run_of_job(job) is None


def test_a_run_rests_in_the_states_that_interfaces_names() -> None:
    rest = {"live", "refused", "failed", "gated_out", "rolled_back", "cancelled", "superseded"}
    for state in rest | {"validated", "submitted", "trained", "registered", "deploying"}:
        assert records.rests(Run(id="r", name="n", state=state)) == (state in rest)


def test_a_sleeping_endpoint_rests_until_somebody_wants_it() -> None:
    def rests(state: str, wanted: bool = False) -> bool:
        return records.rests(Endpoint(id="n", name="n", state=state, endpoint_name="e", wake_wanted=wanted))

    assert rests("absent")
    assert rests("asleep")
    assert not rests("asleep", wanted=True)
    assert not any(rests(state) for state in ("awake", "waking", "falling_asleep"))


def test_a_record_comes_back_from_its_json_with_its_timeline() -> None:
    upload = Upload(id="n~1", name="n", state="received", path="n/x.jsonl", etag="1")
    upload.enter("accepted", "run")
    assert msgspec.json.decode(msgspec.json.encode(upload), type=Upload) == upload
    assert records.moment(upload.timeline[0].at) <= records.moment(records.now())
    assert records.kind_of(upload) == "upload"


def test_every_state_that_a_step_can_enter_is_a_move_of_its_state() -> None:
    moves: dict[str, set[str]] = {}
    for kind, steps in STEPS.items():
        for state, step in steps.items():
            moves.setdefault(step.__code__.co_filename, set()).update(MOVES[kind][state])
    for file, allowed in moves.items():
        entered = set(re.findall(r'\bEnter\(\s*"(\w+)"', Path(file).read_text()))
        assert entered, f"{file} enters nothing"
        assert entered <= allowed, f"{file} enters {sorted(entered - allowed)}"


def test_every_state_written_in_the_code_is_in_the_table() -> None:
    known = {state for moves in MOVES.values() for state in moves}
    known |= {state for moves in MOVES.values() for ends in moves.values() for state in ends}
    folder = Path(records.__file__).parent.parent / "lifecycle"
    sources = [path.read_text() for path in folder.rglob("*.py")]
    written = {state for text in sources for state in re.findall(r'\b[Ee]nter\(\s*"(\w+)"', text)}
    assert len(written) > 10
    assert written <= known


def test_every_state_rests_or_has_a_step() -> None:
    for kind, moves in MOVES.items():
        reached = set(moves) | {end for ends in moves.values() for end in ends}
        for state in reached - {"asleep"}:  # it rests and has a step: waking is asked for in the record
            assert (state in STEPS[kind]) != (state in records.RESTS[kind]), f"{kind} {state}"


def test_resting_states_have_no_step() -> None:
    for kind, rests in records.RESTS.items():
        assert not set(rests) & set(STEPS[kind])


def test_an_event_bears_the_state_in_its_type() -> None:
    assert [event_type(state) for state in ("live", "gated_out")] == ["Droptune.RunLive", "Droptune.RunGatedOut"]
