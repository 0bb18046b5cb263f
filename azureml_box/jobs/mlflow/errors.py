"""MLflow's own error envelope: `error_code` and `message`.

Refused
    `invalid()`   400 INVALID_PARAMETER_VALUE
    `missing()`   404 RESOURCE_DOES_NOT_EXIST
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Refused(Exception):
    """An error in MLflow's own envelope."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def invalid(message: str) -> Refused:
    """What is asked for makes no sense."""
    return Refused(400, "INVALID_PARAMETER_VALUE", message)


def missing(message: str) -> Refused:
    """There is no such thing."""
    return Refused(404, "RESOURCE_DOES_NOT_EXIST", message)


def listed(sent: Mapping[str, Any], name: str, of: type = str) -> list[Any]:
    """A list in the body of a call, empty where it is not given.

    Raises:
        Refused: it is something else, or has something else in it.
    """
    found = sent.get(name) or []
    if not isinstance(found, list) or not all(isinstance(one, of) for one in found):
        raise invalid(f"Invalid value for parameter '{name}' supplied: a list of {of.__name__} is wanted.")
    return found


def number(sent: Mapping[str, Any], name: str, usual: int) -> int:
    """A whole number in a call.

    Raises:
        Refused: it is none.
    """
    try:
        return int(sent.get(name) or usual)
    except (TypeError, ValueError, OverflowError):
        raise invalid(f"Invalid value {sent[name]!r} for parameter '{name}' supplied.") from None
