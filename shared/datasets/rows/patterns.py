"""What the order of the roles in a row says, worked out once for each order that is met."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

ROLES = ("system", "user", "assistant", "tool")


@dataclass(frozen=True)
class Pattern:
    """The roles of a row: where the answers stand, and the codes of what is wrong or odd about the order."""

    roles: tuple[str, ...]
    answers: tuple[int, ...]
    every_second: slice | None
    errors: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def first_answer(self) -> int:
        """The place of the first answer."""
        return self.answers[0]


def pattern(roles: tuple[str, ...]) -> Pattern:
    """What is to be known of an order of roles.

    >>> pattern(("user", "user", "assistant")).warnings
    ('not_alternating',)
    """
    answers = tuple(index for index, role in enumerate(roles) if role == "assistant")
    errors = [code for code, role in (("no_assistant", "assistant"), ("no_user", "user")) if role not in roles]
    return Pattern(roles, answers, _slice(answers), tuple(errors), tuple(_odd(roles)))


def _odd(roles: tuple[str, ...]) -> list[str]:
    found = []
    if "tool" in roles:
        found.append("tool_messages")
    if roles[-1] != "assistant":
        found.append("last_not_assistant")
    if "system" in roles[1:]:
        found.append("system_not_first")
    if any(a == b and a in ("user", "assistant") for a, b in pairwise(roles)):
        found.append("not_alternating")
    return found


def _slice(answers: tuple[int, ...]) -> slice | None:
    """The answers as a slice, where they stand at every second place: taking it is faster than picking each."""
    if answers and answers == tuple(range(answers[0], answers[-1] + 1, 2)):
        return slice(answers[0], answers[-1] + 1, 2)
    return None
