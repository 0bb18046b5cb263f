"""With the base model's tokenizer at hand, rows near its context are counted and not reckoned."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from folder_sink import judge
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit

from shared.datasets.check import Terms


@pytest.fixture
def tokenizer(tmp_path: Path) -> str:
    """A token a word."""
    made = Tokenizer(WordLevel({"?": 0}, unk_token="?"))
    made.pre_tokenizer = WhitespaceSplit()
    path = tmp_path / "tokenizer.json"
    made.save(str(path))
    return str(path)


def data(*long: str) -> bytes:
    texts = [f"say {n}" for n in range(30)] + list(long)
    rows = [[{"role": "user", "content": text}, {"role": "assistant", "content": "yes"}] for text in texts]
    return b"\n".join(json.dumps({"messages": row}).encode() for row in rows)


def told(verdict: object, code: str) -> list[tuple[int, str]]:
    return [(f.line, f.message) for f in verdict.findings if f.code == code]  # type: ignore[attr-defined]


def test_a_row_of_long_words_is_not_too_long(tokenizer: str) -> None:
    text = "abcdefgh " * 2500
    assert told(judge(data(text)), "row_too_long")
    assert not told(judge(data(text), terms=Terms(tokenizer=tokenizer)), "row_too_long")


def test_a_row_of_many_short_words_is_too_long(tokenizer: str) -> None:
    verdict = judge(data("a " * 4200), terms=Terms(tokenizer=tokenizer))
    assert [line for line, _ in told(verdict, "row_too_long")] == [31]
    assert [line for line, _ in told(verdict, "answer_cut_off")] == [31]
    assert "about" not in told(verdict, "row_too_long")[0][1]


def test_a_tokenizer_that_is_not_there_is_an_estimate_that_says_so() -> None:
    verdict = judge(data(), terms=Terms(tokenizer="/nowhere/tokenizer.json"))
    assert verdict.accepted
    assert "estimated" in verdict.profile["tokens"]["basis"]
