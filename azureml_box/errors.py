"""Azure Resource Manager's errors, one class a wire status.

ArmError
├── NotFound             404
├── BadRequest           400
├── Conflict             409
├── Unauthorized         401
└── NotImplementedHere   501: a path the emulator does not know; never a made-up answer
"""

from __future__ import annotations

from typing import Any


class ArmError(Exception):
    """An answer other than 2xx, in Azure's envelope."""

    def __init__(self, status: int, code: str, message: str, target: str | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.target = status, code, message, target
        self.details: list[dict[str, Any]] = []

    def envelope(self) -> dict[str, Any]:
        """The JSON body: https://github.com/microsoft/api-guidelines (error condition responses)."""
        error: dict[str, Any] = {
            "code": self.code,
            "message": self.message,
            "details": self.details,
            "target": self.target,
        }
        return {"error": {**error, "additionalInfo": []}}


class NotFound(ArmError):
    """The resource does not exist."""

    def __init__(self, message: str, code: str = "ResourceNotFound") -> None:
        super().__init__(404, code, message)


class BadRequest(ArmError):
    """The request is wrong; Azure ML calls most of these UserError."""

    def __init__(self, message: str, code: str = "UserError", target: str | None = None) -> None:
        super().__init__(400, code, message, target)


class Conflict(ArmError):
    """The request contradicts what is there."""

    def __init__(self, message: str, code: str = "Conflict") -> None:
        super().__init__(409, code, message)


class Unauthorized(ArmError):
    """No token, or one that this service does not accept."""

    def __init__(self, message: str, code: str = "InvalidAuthenticationToken") -> None:
        super().__init__(401, code, message)


class NotImplementedHere(ArmError):
    """The emulator has no such operation."""

    def __init__(self, method: str, path: str) -> None:
        super().__init__(501, "NotImplemented", f"The emulator does not implement {method} {path}.")
