"""What a gate asks for and what it says; which rows are asked; a judge that is plugged in; the course of a loss."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import SettingsError
from shared.evaluation import gate, judge, sample
from shared.evaluation.course import course
from shared.evaluation.summary import Comparison, Summary

GOOD = Summary(rows=10, exact=0.5, f1=0.6, chrf=55.0, length=1.0, empty=0.0, cut=0.0)


@pytest.mark.parametrize(
    ("asked", "metrics", "told"),
    [
        ({}, {}, ""),
        ({"eval_loss_at_most": None}, {"eval_loss": 9.0}, ""),
        ({"eval_loss_at_most": 2.0}, {"eval_loss": 2.0}, ""),
        ({"eval_loss_at_most": 2.0}, {"eval_loss": 2.001}, "eval_loss 2.001 is above the gate's 2.0"),
        ({"eval_loss_at_most": 2.0}, {"eval_loss": math.nan}, "eval_loss nan is above the gate's 2.0"),
        ({"eval_loss_at_most": 2.0}, {}, "the gate asks for an eval_loss of at most 2.0, and the job logged none"),
    ],
)
def test_the_loss_is_judged_before_anything_is_deployed(asked: Any, metrics: Any, told: str) -> None:
    assert gate.by_loss(asked, metrics) == told


@pytest.mark.parametrize(
    ("asked", "found", "told"),
    [
        ({}, GOOD, ""),
        ({"chrf_at_least": 55.0}, GOOD, ""),
        ({"chrf_at_least": 55.1}, GOOD, "chrf 55 over 10 test rows is below the gate's 55.1"),
        ({"f1_at_least": 0.7}, GOOD, "f1 0.6 over 10 test rows is below the gate's 0.7"),
        ({"exact_at_least": 0.6}, GOOD, "exact 0.5 over 10 test rows is below the gate's 0.6"),
        ({"empty_at_most": 0.0}, GOOD, ""),
        ({"cut_at_most": 0.1}, Summary(rows=4, cut=0.25), "cut 0.25 over 4 test rows is above the gate's 0.1"),
        ({"judged_at_least": 0.5}, GOOD, "the gate asks for judged_at_least, and no judge is set (DROPTUNE_JUDGE)"),
        ({"chrf_at_least": 1.0}, Summary(), "the gate asks for chrf_at_least, and there is no test row to ask"),
    ],
)
def test_the_answers_are_judged_by_what_is_asked_for(asked: Any, found: Summary, told: str) -> None:
    assert gate.by_answers(asked, found, None) == told
    assert gate.wants_answers(asked) is bool(asked)


@pytest.mark.parametrize(
    ("beside", "passes"),
    [
        (None, True),
        (Comparison(0, 0, 0, 0, 0, 0.5), True),
        (Comparison(5, 60.0, 50.0, 4, 1, 0.9), True),
        (Comparison(5, 50.0, 50.0, 0, 0, 0.5), False),
        (Comparison(5, 40.0, 50.0, 1, 4, 0.1), False),
    ],
)
def test_better_than_live_lets_nothing_through_that_is_not(beside: Comparison | None, passes: bool) -> None:
    told = gate.by_answers({"better_than_live": True}, GOOD, beside)
    assert (told == "") is passes
    assert gate.by_answers({"better_than_live": False}, GOOD, beside) == ""
    if not passes:
        assert "not better than the live model" in told and "5 test rows" in told


def _row(question: str, answer: str) -> bytes:
    turns = [{"role": "user", "content": question}, {"role": "assistant", "content": answer, "name": None}]
    return json.dumps({"messages": turns}).encode() + b"\n"


@given(st.lists(st.text(min_size=1).filter(str.strip), unique=True, max_size=20), st.integers(1, 8), st.randoms())
def test_the_sample_is_the_same_in_any_order_and_never_larger(found: list[str], most: int, dice: Any) -> None:
    rows = [_row(f"q {text}", text) for text in found]
    chosen = sample.choose(rows, most)
    dice.shuffle(rows)
    assert sample.choose(rows, most) == chosen
    assert len(chosen) == min(most, len(rows))


@pytest.mark.parametrize(
    "row",
    [
        b"",
        b"no json",
        b"[]",
        b'{"messages": 1}',
        b'{"messages": []}',
        b'{"messages": [{"role": "user", "content": "hi"}]}',
        b'{"messages": [{"role": "assistant", "content": "hi"}]}',
        b'{"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": null}]}',
        b'{"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "  "}]}',
    ],
)
def test_a_row_without_an_answered_question_is_passed_over(row: bytes) -> None:
    assert sample.question(row) is None
    assert sample.choose([row], 5) == []


def test_the_last_answer_of_a_conversation_is_the_reference() -> None:
    turns = [("system", "s"), ("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d"), ("user", "e")]
    row = json.dumps({"messages": [{"role": role, "content": text} for role, text in turns]}).encode()
    found = sample.question(row)
    assert found is not None
    assert ([turn["content"] for turn in found.messages], found.reference) == (["s", "a", "b", "c"], "d")


def kind(*, messages: list[dict[str, Any]], reference: str, answer: str) -> float:
    return 7.0 if answer else 1 / 0


def test_a_judge_is_plugged_in_by_its_name_and_its_failure_ends_nothing() -> None:
    assert judge.load("") is None and judge.grade(None, [], "", "") is None
    found = judge.load(f"{__name__}:kind")
    assert judge.grade(found, [], "r", "a") == 1.0
    assert judge.grade(found, [], "r", "") is None
    for wrong in ("no.such:thing", f"{__name__}:nothing", "nothing"):
        with pytest.raises(SettingsError, match="DROPTUNE_JUDGE"):
            judge.load(wrong)


curves = st.lists(st.floats(0.01, 10), min_size=2, max_size=30)


@given(curves)
def test_over_fitting_is_named_where_the_loss_rose_well_above_its_best(losses: list[float]) -> None:
    found = course([(step, loss) for step, loss in enumerate(losses)])
    assert found is not None
    assert found.best == min(losses) and found.last == losses[-1]
    assert found.over_fitted == (losses[-1] > min(losses) * 1.05)
    assert ("over-fitting" in found.told()) == found.over_fitted


def test_a_curve_of_one_point_has_no_course() -> None:
    assert course([]) is None and course([(1, 2.0)]) is None
