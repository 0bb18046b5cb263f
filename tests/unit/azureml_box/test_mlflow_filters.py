"""MLflow's filters, orders and pages: what they let through, and what they refuse by name."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azureml_box.jobs.mlflow import filters, ordering
from azureml_box.jobs.mlflow.errors import Refused

ATTRIBUTES: dict[str, type] = {"status": str, "run_id": str, "run_name": str, "start_time": int}
RUN = {
    ("metric", "loss"): 0.5,
    ("metric", "a b"): 1.0,
    ("param", "model"): "tree",
    ("tag", "mlflow.parentRunId"): "root",
    ("attribute", "status"): "FINISHED",
    ("attribute", "run_id"): "r1",
    ("attribute", "run_name"): "First run",
    ("attribute", "start_time"): 1700,
}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "metrics.loss < 1",
        "metric.loss>=0.5 and params.model = 'tree'",
        'metrics.`a b` = 1 AND metrics."a b" > -1e3',
        "tags.mlflow.parentRunId='root'",
        "tag.`mlflow.parentRunId` != 'other'",
        "attributes.status = 'FINISHED' and attributes.start_time > 1000",
        "status = 'FINISHED' AND run_name LIKE 'First%' and run_name ILIKE '%RUN'",
        "attributes.run_id IN ('r0', 'r1') and run_id NOT IN (\"r2\")",
        "params.other IS NULL and params.model is not null",
        "`run name` = 'First run' and created <= 1700",
        "params.model LIKE 'tr_e'",
    ],
)
def test_a_filter_that_holds_lets_a_run_through(text: str) -> None:
    assert all(clause.matches(RUN) for clause in filters.parse(text, ATTRIBUTES))


@pytest.mark.parametrize(
    "text",
    [
        "metrics.loss > 1",
        "metrics.other < 1",
        "params.other != 'tree'",
        "params.model LIKE 'TREE'",
        "tags.mlflow.parentRunId = 'other' and metrics.loss < 1",
        "attributes.run_id NOT IN ('r1')",
        "params.model IS NULL",
        "run_name LIKE 'run'",
    ],
)
def test_a_filter_that_does_not_hold_or_misses_its_key_lets_nothing_through(text: str) -> None:
    assert not all(clause.matches(RUN) for clause in filters.parse(text, ATTRIBUTES))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("metrics.loss < 1 or metrics.loss > 2", "Invalid clause"),
        ("metrics.loss", "Invalid clause"),
        ("loss < 1", "Invalid attribute key 'loss'"),
        ("wheels.loss < 1", "Invalid entity type 'wheels'"),
        ("metrics.loss < 'x'", "Expected numeric value"),
        ("params.model = 1", "Expected a quoted string"),
        ("params.model > 'a'", "Invalid comparator '>'"),
        ("metrics.loss LIKE '1'", "Invalid comparator 'LIKE'"),
        ("metrics.loss <", "no value"),
        ("status = 'A' status = 'B'", "Invalid clause"),
    ],
)
def test_what_is_no_filter_is_refused_by_name(text: str, said: str) -> None:
    with pytest.raises(Refused, match=said):
        filters.parse(text, ATTRIBUTES)


@given(st.text(max_size=60))
def test_any_text_is_a_filter_or_is_refused_in_mlflows_words(text: str) -> None:
    try:
        filters.parse(text, ATTRIBUTES)
    except Refused as error:
        assert error.code == "INVALID_PARAMETER_VALUE"


def test_runs_without_the_value_come_last_either_way() -> None:
    runs: list[tuple[dict[tuple[str, str], Any], str]] = [
        ({("metric", "x"): 1.0}, "one"),
        ({}, "none"),
        ({("metric", "x"): 2.0}, "two"),
        ({("metric", "x"): float("nan")}, "nan"),
    ]
    up = [name for _, name in ordering.ordered(list(runs), ["metrics.x"], ATTRIBUTES)]
    down = [name for _, name in ordering.ordered(list(runs), ["metrics.x DESC"], ATTRIBUTES)]
    assert (up, down) == (["one", "two", "none", "nan"], ["two", "one", "none", "nan"])


@given(st.integers(0, 30), st.integers(1, 10))
def test_pages_follow_each_other_without_gap(count: int, size: int) -> None:
    got, sent = [], {"max_results": size}
    while True:
        shown, following = ordering.page(list(range(count)), sent)
        got += shown
        if not following:
            break
        sent = {"max_results": size, "page_token": following["next_page_token"]}
    assert got == list(range(count))


@pytest.mark.parametrize("sent", [{"max_results": 0}, {"max_results": 50_001}, {"page_token": "?"}])
def test_a_page_that_there_cannot_be_is_refused(sent: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        ordering.page([], sent)
