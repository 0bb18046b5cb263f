"""Scores of answers: against sacrebleu's own figures, and as properties."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.evaluation.chrf import chrf
from shared.evaluation.scores import Score, is_cut, score
from shared.evaluation.summary import compare, keep_worst, summary
from shared.evaluation.words import words

# Reckoned by sacrebleu 2.5.1, CHRF().sentence_score; 3,000 random pairs agreed to 1e-9 when this was written.
BY_SACREBLEU = [
    ("the cat sat on the mat", "the cat is on the mat", 64.577942),
    ("", "abc", 0.0),
    ("abc", "", 0.0),
    ("ab", "abcdefgh", 23.404255),
    ("Grüße aus Köln!", "Viele Grüße aus Köln.", 65.050495),
    ("東京です", "東京都です。", 28.735632),
    ("a b c", "abc", 100.0),
    ("xyz", "abc", 0.0),
    ("The quick brown fox", "The quick brown fox jumps", 76.933743),
]
texts = st.text(max_size=60)


@pytest.mark.parametrize(("answer", "reference", "expected"), BY_SACREBLEU)
def test_chrf_is_sacrebleus(answer: str, reference: str, expected: float) -> None:
    assert chrf(answer, reference) == pytest.approx(expected, abs=1e-6)


@given(texts)
def test_a_text_is_as_good_as_itself(text: str) -> None:
    found = score(0, text, text, 1000)
    assert (found.exact, found.f1) == (1.0, 1.0)
    assert found.chrf == (100.0 if text.split() else 0.0)


@given(texts, texts)
def test_scores_stay_within_their_bounds_and_f1_knows_no_sides(answer: str, reference: str) -> None:
    found, turned = score(0, answer, reference, 64), score(0, reference, answer, 64)
    assert 0 <= found.f1 <= 1 and 0 <= found.chrf <= 100 and found.length >= 0
    assert found.f1 == turned.f1
    assert found.exact <= found.f1
    assert found.empty == (not answer.strip())


@given(texts)
def test_words_know_no_case_and_no_punctuation(text: str) -> None:
    assert words(f"“{text}”!") == words(text)
    assert words(" ".join(words(text))) == words(text)


@pytest.mark.parametrize(
    ("answer", "most", "cut"),
    [("word " * 40, 32, True), ("word " * 40 + "end.", 32, False), ("short", 32, False), ("", 8, False)],
)
def test_an_answer_that_ends_in_the_middle_of_its_allowance_is_not_cut(answer: str, most: int, cut: bool) -> None:
    assert is_cut(answer, most) is cut


def _scores(*values: float) -> list[Score]:
    return [Score(row, 0.0, 0.5, value, 1.0, value == 0) for row, value in enumerate(values)]


def test_a_summary_is_means_and_shares() -> None:
    found = summary(_scores(100.0, 50.0, 0.0))
    assert (found.rows, found.chrf, found.f1, round(found.empty, 2), found.judged) == (3, 50.0, 0.5, 0.33, None)
    assert summary([]).rows == 0


scored = st.lists(st.floats(0, 100), min_size=1, max_size=12)


@given(scored, st.floats(0.5, 20))
def test_who_is_better_on_every_row_is_ahead_and_surely(values: list[float], gain: float) -> None:
    better = [value + gain for value in values]
    found = compare(_scores(*better), _scores(*values))
    assert found.ahead and found.sure == 1.0 and found.better_rows == len(values)
    turned = compare(_scores(*values), _scores(*better))
    assert not turned.ahead and turned.sure == 0.0


@given(scored)
def test_the_same_answers_are_not_better_and_nothing_is_sure(values: list[float]) -> None:
    found = compare(_scores(*values), _scores(*values))
    assert (found.ahead, found.sure, found.better_rows, found.worse_rows) == (False, 0.5, 0, 0)


def test_only_rows_that_both_answered_are_compared() -> None:
    assert compare(_scores(90.0, 10.0), _scores(80.0)).rows == 1
    assert compare(_scores(90.0), []).sure == 0.5


@given(st.lists(st.floats(0, 100), max_size=30))
def test_the_worst_five_are_kept_in_order_whatever_came_when(values: list[float]) -> None:
    kept: list[dict[str, object]] = []
    for row, value in enumerate(values):
        kept = keep_worst(kept, {"row": row, "chrf": value})
    assert [one["chrf"] for one in kept] == sorted(values)[:5]
