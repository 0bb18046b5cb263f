"""What was called, and what came of it: the latest calls, kept in the database, so that a killed emulator still tells."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

from azureml_box.store import Store

_REMEMBERED, _SWEEP_EVERY = 5000, 500


@dataclass(slots=True)
class Call:
    """One call. `status` is the emulator's own, `answered` what the client was sent; None where there was none.

    `effect`: `read`, `created` (answered with 201), `deleted`, `changed`, `refused` (answered with an error), or `none` (a
    fault kept it from the emulator, or there was nothing to delete).
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
            self.effect = _effect(self.method, status)


def _effect(method: str, status: int) -> str:
    if status >= 400:
        return "refused"
    if method in ("GET", "HEAD"):
        return "read"
    if status == 201:
        return "created"
    if method == "DELETE":
        return "none" if status == 204 else "deleted"  # Azure answers 204 where there was nothing to delete
    return "changed"


_COLUMNS = ", ".join(field.name for field in fields(Call))


class CallLog:
    """The latest calls, numbered from 1; the emulator's own control calls are not among them."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def begin(self, at: str, method: str, path: str, query: str) -> Call:
        """Note a call at its beginning: one that never ends is seen as well."""
        sql = "INSERT INTO calls (at, method, path, query, effect, milliseconds) VALUES (?, ?, ?, ?, 'none', 0)"
        call = Call(self._store.insert(sql, (at, method, path, query)), at, method, path, query)
        if call.number % _SWEEP_EVERY == 0:
            self._store.rows("DELETE FROM calls WHERE number <= ?", (call.number - _REMEMBERED,))
        return call

    def end(self, call: Call) -> None:
        """Keep what came of a call."""
        sql = "UPDATE calls SET status = ?, answered = ?, effect = ?, milliseconds = ?, fault = ? WHERE number = ?"
        values = (call.status, call.answered, call.effect, call.milliseconds, call.fault, call.number)
        self._store.rows(sql, values)

    def clear(self) -> None:
        """Forget all; numbers go on."""
        self._store.rows("DELETE FROM calls")

    def document(
        self, after: int = 0, method: str = "", path: str = "", limit: int = _REMEMBERED, since: str = ""
    ) -> dict[str, Any]:
        """Return the calls after a number, since a moment, of a verb, whose path holds a text; the latest, oldest first."""
        last = self._store.last("calls")
        sql = (
            f"SELECT {_COLUMNS} FROM calls WHERE number > ? AND ? IN ('', method) AND instr(lower(path), ?) > 0 "
            "AND at >= ? ORDER BY number DESC LIMIT ?"
        )
        values = (max(after, last - _REMEMBERED), method.upper(), path.lower(), since, limit)
        found = [asdict(Call(*row)) for row in self._store.rows(sql, values)]
        return {"calls": found[::-1], "last": last}
