"""Which test rows are asked, and what of a row is the question: the same for the same rows, whatever their order."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterable
from typing import Any

import msgspec

LONGEST_QUESTION = 100_000  # bytes of a row; an endpoint takes no body of much more


class Question(msgspec.Struct, frozen=True):
    """What is asked and what should come back."""

    messages: list[dict[str, Any]]
    reference: str


def choose(rows: Iterable[bytes], most: int) -> list[Question]:
    """At most so many rows, drawn by the hash of their bytes: a sample that nobody chose and that does not change.

    Rows that have no question with an answer, or are too long to be asked, are passed over.
    """
    drawn = heapq.nsmallest(most, _asked(rows), key=lambda pair: pair[0])
    return [question for _, question in drawn]


def _asked(rows: Iterable[bytes]) -> Iterable[tuple[bytes, Question]]:
    for row in rows:
        if 0 < len(row) <= LONGEST_QUESTION and (found := question(row)) is not None:
            yield hashlib.blake2b(row.strip(), digest_size=8).digest(), found


def question(row: bytes) -> Question | None:
    """The conversation up to its last answer, and that answer; None where the row has no such end.

    >>> question(b'{"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":"hello"}]}').reference
    'hello'
    """
    try:
        messages = msgspec.json.decode(row)["messages"]
        plain = [{key: value for key, value in message.items() if value is not None} for message in messages]
        last = max(index for index, message in enumerate(plain) if message.get("role") == "assistant")
        reference = plain[last].get("content")
    except (msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError, AttributeError, ValueError):
        return None
    before = plain[:last]
    if not isinstance(reference, str) or not reference.strip() or not before or before[-1].get("role") != "user":
        return None
    return Question(before, reference)


def allowance(reference: str, most: int) -> int:
    """How many tokens an answer may have: twice what its reference may take, so that a longer one shows, up to `most`.

    >>> allowance("yes", 256), allowance("x" * 3000, 256)
    (34, 256)
    """
    return min(most, 32 + 2 * len(reference) // 3)
