from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.dataset_uploaded import PREFIX
from infra import subscriptions
from shared.datasets.paths import REPORTS, place
from shared.runs.identity import job_name, run_of_job


def passes(wanted: dict[str, Any], kind: str, subject: str, data: dict[str, Any] | None = None) -> bool:
    """As Event Grid filters: types exactly, texts without case, advanced filters all of them."""
    low = subject.lower()
    if kind not in wanted["includedEventTypes"] or not low.startswith(wanted.get("subjectBeginsWith", "").lower()):
        return False
    if not low.endswith(wanted.get("subjectEndsWith", "").lower()):
        return False
    return all(advanced(one, {"subject": subject, "data": data or {}}) for one in wanted.get("advancedFilters", []))


def advanced(one: dict[str, Any], event: dict[str, Any]) -> bool:
    value: Any = event
    for part in one["key"].split("."):
        value = value.get(part, "")
    tests = {
        "StringEndsWith": lambda text: any(value.lower().endswith(end.lower()) for end in text),
        "StringNotEndsWith": lambda text: not any(value.lower().endswith(end.lower()) for end in text),
        "StringBeginsWith": lambda text: any(value.lower().startswith(begin.lower()) for begin in text),
    }
    return tests[one["operatorType"]](one["values"])


SEGMENT = st.text("abcAZ09._- é", min_size=1, max_size=8)
FILE = st.one_of(
    SEGMENT,
    st.builds("{}{}".format, SEGMENT, st.sampled_from([".jsonl", ".JSONL", ".jsonl.gz", ".json", ".Parquet", ".csv"])),
    st.builds("x.jsonl{}".format, st.sampled_from(REPORTS)),
    st.sampled_from(["droptune.toml", "test.jsonl", "validation.jsonl", "my-droptune.toml"]),
)
PATHS = st.builds(lambda folders, file: "/".join([*folders, file]), st.lists(SEGMENT, max_size=3), FILE)


@given(PATHS)
def test_no_file_of_a_dataset_is_filtered_out(path: str) -> None:
    if place(path) is not None:
        assert passes(subscriptions.datasets(), subscriptions.BLOB_CREATED, PREFIX + path)


@given(PATHS, st.sampled_from(REPORTS))
def test_our_own_reports_call_nobody(path: str, ending: str) -> None:
    assert not passes(subscriptions.datasets(), subscriptions.BLOB_CREATED, PREFIX + path + ending)


@pytest.mark.parametrize("path", ["readme.md", "acme/picture.png", "acme/my-droptune.toml", "droptune.toml"])
def test_what_is_no_dataset_calls_nobody(path: str) -> None:
    assert place(path) is None
    assert not passes(subscriptions.datasets(), subscriptions.BLOB_CREATED, PREFIX + path) or path == "droptune.toml"


def test_other_containers_call_nobody() -> None:
    other = "/blobServices/default/containers/datasets-old/blobs/acme/chats.jsonl"
    assert not passes(subscriptions.datasets(), subscriptions.BLOB_CREATED, other)


@given(st.from_regex(r"[a-z][a-z0-9-]{0,19}-[0-9a-f]{10}", fullmatch=True), st.integers(1, 9))
def test_every_change_of_our_jobs_passes(run: str, attempt: int) -> None:
    job = job_name(run, attempt)
    assert run_of_job(job) == run
    for kind in subscriptions.JOB_EVENTS:
        assert passes(subscriptions.jobs(), kind, f"experiments/x/runs/{job}", {"runId": job})


def test_steps_and_other_peoples_jobs_call_nobody() -> None:
    for run in ("3f1c0b7e-1111-2222-3333-444455556666", "sad_onion_x1y2"):
        assert not passes(subscriptions.jobs(), subscriptions.JOB_EVENTS[0], "s", {"runId": run})


def test_the_limits_of_event_grid_are_kept() -> None:
    for topic in subscriptions.wanted().values():
        for one in topic:
            filters = one["filter"].get("advancedFilters", [])
            assert sum(len(each["values"]) for each in filters) <= 25
            assert all(len(value) <= 512 for each in filters for value in each["values"])
            assert 3 <= len(one["name"]) <= 64
