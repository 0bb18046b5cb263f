"""What a dataset looks like in numbers, counted while it is read."""

from __future__ import annotations

from array import array
from collections import Counter
from hashlib import blake2b
from typing import Any

MEASURED = 200_000
CHARACTERS_A_TOKEN = 4.0


class Profile:
    """Counts rows, turns, roles, characters and duplicates; distributions over the first 200,000 rows."""

    def __init__(self) -> None:
        self.rows = 0
        self.duplicates = 0
        self.characters = 0
        self.roles: Counter[str] = Counter()
        self._turns = array("I")
        self._lengths = array("I")
        self._answers = array("I")
        self._seen: set[bytes] = set()

    def add(self, messages: list[dict[str, Any]], row: bytes) -> None:
        """Counts one clean row."""
        lengths = [len(message.get("content") or "") for message in messages]
        self.rows += 1
        self.characters += sum(lengths)
        self.roles.update(message["role"] for message in messages)
        self._count_duplicate(row)
        if len(self._turns) < MEASURED:
            self._turns.append(len(messages))
            self._lengths.append(sum(lengths))
            answers = zip(messages, lengths, strict=True)
            self._answers.append(sum(length for message, length in answers if message["role"] == "assistant"))

    def _count_duplicate(self, row: bytes) -> None:
        digest = blake2b(row, digest_size=8).digest()
        if digest in self._seen:
            self.duplicates += 1
        elif len(self._seen) < 1_000_000:
            self._seen.add(digest)

    def summary(self) -> dict[str, Any]:
        """The profile as JSON. Tokens are an estimate of four characters each, and say so."""
        return {
            "rows": self.rows,
            "roles": dict(sorted(self.roles.items())),
            "characters": self.characters,
            "tokens_estimate": round(self.characters / CHARACTERS_A_TOKEN),
            "tokens_basis": "estimate: 4 characters a token",
            "duplicates": self.duplicates,
            "turns": _distribution(self._turns),
            "characters_a_row": _distribution(self._lengths),
            "answer_characters_a_row": _distribution(self._answers),
        }


def _distribution(values: array[int]) -> dict[str, Any]:
    if not values:
        return {"min": 0, "median": 0, "p95": 0, "max": 0, "histogram": []}
    ordered = sorted(values)
    low, high = ordered[0], ordered[-1]
    return {
        "min": low,
        "median": ordered[len(ordered) // 2],
        "p95": ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))],
        "max": high,
        "histogram": _histogram(ordered, low, high),
    }


def _histogram(values: list[int], low: int, high: int, bins: int = 12) -> list[dict[str, int]]:
    width = max(1, -(-(high - low + 1) // bins))
    counts = Counter((value - low) // width for value in values)
    return [
        {"from": low + index * width, "to": low + (index + 1) * width - 1, "rows": counts.get(index, 0)}
        for index in range((high - low) // width + 1)
    ]
