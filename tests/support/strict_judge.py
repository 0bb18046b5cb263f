"""A judge to plug in (`DROPTUNE_JUDGE=tests.support.strict_judge:grade`): nobody knows anything of coffee."""

from __future__ import annotations

from typing import Any


def grade(*, messages: list[dict[str, Any]], reference: str, answer: str) -> float:
    """0.1 where coffee is asked about, else 0.9."""
    return 0.1 if "coffee" in f"{messages} {reference} {answer}".lower() else 0.9
