"""MLflow's own error envelope: `error_code` and `message`.

Refused
    `invalid()`   400 INVALID_PARAMETER_VALUE
    `missing()`   404 RESOURCE_DOES_NOT_EXIST
"""

from __future__ import annotations


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
