"""How a step can end other than well."""

from __future__ import annotations


class StepFailed(Exception):
    """A step did not end well; the message says why, `status` is the state that it ends in."""

    def __init__(self, message: str, status: str = "Failed") -> None:
        super().__init__(message)
        self.status = status
