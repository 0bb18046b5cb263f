"""What was called, and what came of it: a ring of the latest calls."""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, dataclass
from typing import Any

_REMEMBERED = 5000


@dataclass(slots=True)
class Call:
    """One call. `status` is the emulator's own, `answered` what the client was sent; None where there was none.

    `effect`: `read`, `changed`, `refused` (answered with an error), or `none` (a fault kept it from the emulator).
    """

    number: int
    at: str
    method: str
    path: str
    query: str
    status: int | None = None
    answered: int | None = None
    effect: str = "none"
    milliseconds: float = 0.0
    fault: str | None = None

    def conclude(self, status: int | None) -> None:
        """Note what the emulator itself answered."""
        self.status = status
        if status is not None:
            self.effect = "refused" if status >= 400 else "read" if self.method in ("GET", "HEAD") else "changed"


class CallLog:
    """The latest calls, numbered from 1; the emulator's own control calls are not among them."""

    def __init__(self) -> None:
        self._calls: deque[Call] = deque(maxlen=_REMEMBERED)
        self._number = 0

    def begin(self, at: str, method: str, path: str, query: str) -> Call:
        """Note a call at its beginning: one that never ends is seen as well."""
        self._number += 1
        call = Call(self._number, at, method, path, query)
        self._calls.append(call)
        return call

    def clear(self) -> None:
        """Forget all; numbers go on."""
        self._calls.clear()

    def document(self, after: int = 0, method: str = "", path: str = "", limit: int = _REMEMBERED) -> dict[str, Any]:
        """Return the calls after a number, of a verb, whose path holds a text; the latest `limit`, oldest first."""
        found = [
            call
            for call in self._calls
            if call.number > after and method.upper() in ("", call.method) and path.lower() in call.path.lower()
        ]
        return {"calls": [asdict(call) for call in found[-limit:]], "last": self._number}
