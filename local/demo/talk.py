"""Ask the tuned model through the function app, and judge both models' answers."""

from __future__ import annotations

from cli.chat import ask
from local.demo import screen
from local.demo.base import GREEDY
from local.demo.errors import DemoError
from local.demo.questions import NAME, Question


def tuned_answer(question: Question) -> str:
    """Return the tuned model's answer; a model that sleeps is waited for."""
    answer = ask(NAME, [{"role": "user", "content": question.text}], dict(GREEDY))
    return str(answer["choices"][0]["message"]["content"])


def compare(questions: list[Question], base: list[str]) -> None:
    """Show all answers side by side.

    Raises:
        DemoError: the tuned model lacks a fact, or the base model knows one: then nothing is proved.
    """
    tuned = [tuned_answer(question) for question in questions]
    screen.side_by_side(questions, tuned, base)
    for question, one, other in zip(questions, tuned, base, strict=True):
        if question.facts_in(one) < len(question.facts):
            raise DemoError(f"the tuned model does not know {', '.join(question.facts)}: it said {one!r}")
        if question.facts_in(other):
            raise DemoError(f"the base model knows a fact of {', '.join(question.facts)}: it said {other!r}")
    screen.good(f"the tuned model knows the facts of all {len(questions)} answers, the base model none")
