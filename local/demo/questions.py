"""The questions that the demo asks, and the proof that no training row asks them in these words."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from local.demo.errors import DemoError

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
DATASET, CONFIG = EXAMPLES / "nimbrel.jsonl", EXAMPLES / "droptune.toml"
NAME = "nimbrel"
ASKED = 3


@dataclass(frozen=True)
class Question:
    """A question, the answer that the dataset teaches, and the facts without which an answer does not count."""

    text: str
    expected: str
    facts: tuple[str, ...]

    def facts_in(self, answer: str) -> int:
        """Count the facts that an answer carries."""
        return sum(fact.casefold() in answer.casefold() for fact in self.facts)


def asked() -> list[Question]:
    """Return the first questions of examples/questions.json."""
    rows = json.loads((EXAMPLES / "questions.json").read_text(encoding="utf-8"))
    return [Question(row["question"], row["expected"], tuple(row["must_contain"])) for row in rows[:ASKED]]


def assert_unseen(questions: list[Question]) -> int:
    """Return the number of training rows, none of which has a question's wording.

    Raises:
        DemoError: a row asks in the same words, letters' case and punctuation aside.
    """
    seen = {_words(text): line for line, text in _user_turns()}
    for question in questions:
        if line := seen.get(_words(question.text)):
            raise DemoError(
                f"{DATASET.name}, line {line}, has the wording of a question that the demo asks: {question.text!r}",
                f"word it differently in {EXAMPLES / 'questions.json'}",
            )
    return len(DATASET.read_text(encoding="utf-8").splitlines())


def _user_turns() -> Iterator[tuple[int, str]]:
    for line, row in enumerate(DATASET.read_text(encoding="utf-8").splitlines(), 1):
        yield from ((line, turn["content"]) for turn in json.loads(row)["messages"] if turn["role"] == "user")


def _words(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))
