"""How long resources take: at once, as long as Azure takes times a scale, or until a test lets them go on."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from azureml_box.durations import AZURES_SECONDS, OTHER_SECONDS
from azureml_box.errors import ArmError, BadRequest, Conflict

KINDS = tuple(AZURES_SECONDS)
MODES = ("immediate", "manual", "timed")
# What is done -> the state meanwhile: the provisioning states of the ARM reference.
_MEANWHILE = {"create": "Creating", "update": "Updating", "delete": "Deleting", "scale": "Scaling"}
BUSY = tuple(_MEANWHILE.values())

_RESOURCE = re.compile(
    r"/workspaces/[^/]+/(?:(jobs|computes|schedules)/([^/]+)|onlineEndpoints/([^/]+)(?:/deployments/([^/]+))?)$"
    r"|/registries/([^/]+)$"
)

# Set by a fault of provisioning: the work that this request begins fails with this code and message.
failing: ContextVar[tuple[str, str] | None] = ContextVar("failing", default=None)


@dataclass
class _Waiting:
    """A resource that waits in the mode `manual`, and how many reads of it are left to go; 0: reads don't count."""

    released: asyncio.Event
    reads_left: int


class Provisioning:
    """A mode for each kind of resource, and what waits for a call to advance it."""

    def __init__(self, modes: Mapping[str, str] | None = None, time_scale: float = 1.0) -> None:
        self._begun = dict(modes or {}), time_scale
        self._waiting: dict[tuple[str, str], _Waiting] = {}
        self.restore()

    def restore(self) -> None:
        """Return to what the emulator was started with, and let go what waits."""
        self.modes, self._reads = dict.fromkeys(KINDS, "immediate"), dict.fromkeys(KINDS, 0)
        for kind, mode in self._begun[0].items():
            self.choose(kind, mode)
        self.time_scale = self._begun[1]
        self.advance()

    def choose(self, kind: str, mode: str) -> None:
        """Set a kind's mode: `immediate`, `timed`, `manual`, or `manual:N` (a resource goes on when it was read N times).

        Raises:
            BadRequest: there is no such kind or mode.
        """
        name, _, reads = mode.partition(":")
        if kind not in KINDS:
            raise BadRequest(f"Nothing is provisioned as {kind!r}; these are: {', '.join(KINDS)}.", target=kind)
        if name not in MODES or (reads and not (name == "manual" and reads.isdigit())):
            raise BadRequest(f"The mode must be one of {', '.join(MODES)}, or manual:N, not {mode!r}.", target=kind)
        self.modes[kind], self._reads[kind] = name, int(reads or 0)

    def delays(self, kind: str) -> bool:
        """Tell whether what this request makes is not there at once."""
        return self.modes[kind] != "immediate" or failing.get() is not None

    def begin(self, kind: str, name: str, doc: dict[str, Any], what: str) -> Awaitable[None] | None:
        """Put a document into the state that it has while `what` is done; what to wait for, or None where it is done now."""
        if not self.delays(kind):
            return None
        doc["properties"]["provisioningState"] = _MEANWHILE[what]
        return self.wait(kind, name, what)

    async def wait(self, kind: str, name: str, what: str = "create") -> None:
        """Return when a resource may go on.

        Raises:
            ArmError: a fault says that it cannot be had.
        """
        if self.modes[kind] == "timed":
            seconds = OTHER_SECONDS.get((kind, what), AZURES_SECONDS[kind])
            await asyncio.sleep(seconds * self.time_scale)
        elif self.modes[kind] == "manual":
            await self._until_advanced(kind, name)
        if problem := failing.get():
            raise ArmError(400, *problem)

    def advance(self, kind: str | None = None, name: str | None = None) -> list[dict[str, str]]:
        """Let all go on that wait, or those of a kind, or one; which."""
        found = [key for key in self._waiting if kind in (None, key[0]) and name in (None, key[1])]
        for key in found:
            self._waiting[key].released.set()
        return [{"kind": key[0], "name": key[1]} for key in found]

    def saw(self, path: str) -> None:
        """Count a read of a resource by its path: in the mode `manual:N` the Nth lets it go on."""
        waiting = self._waiting.get(_named(path))
        if waiting is not None and waiting.reads_left:
            waiting.reads_left -= 1
            if not waiting.reads_left:
                waiting.released.set()

    def document(self) -> dict[str, Any]:
        """Return the modes and what waits."""
        modes = {
            kind: f"{mode}:{self._reads[kind]}" if self._reads[kind] else mode for kind, mode in self.modes.items()
        }
        waiting = [{"kind": kind, "name": name} for kind, name in self._waiting]
        return {"modes": modes, "timeScale": self.time_scale, "waiting": waiting}

    async def _until_advanced(self, kind: str, name: str) -> None:
        waiting = self._waiting[kind, name] = _Waiting(asyncio.Event(), self._reads[kind])
        try:
            await waiting.released.wait()
        finally:
            if self._waiting.get((kind, name)) is waiting:
                del self._waiting[kind, name]


def _named(path: str) -> tuple[str, str]:
    """(kind, name) of the resource at a path, as it waits; names of computes are compared without case."""
    match = _RESOURCE.search(path)
    if match is None:
        return "", ""
    if match[5]:
        return "registries", match[5]
    if match[3]:
        return ("deployments", f"{match[3]}/{match[4]}") if match[4] else ("endpoints", match[3])
    return match[1], match[2].lower() if match[1] == "computes" else match[2]


def must_rest(what: str, doc: Mapping[str, Any] | None) -> None:
    """Refuse a new operation on a resource while another is in progress.

    Source: learn.microsoft.com/azure/machine-learning/how-to-troubleshoot-online-endpoints (409: "When an operation is already
    in progress, any new operation on that same online endpoint responds with a 409 conflict error").

    Raises:
        Conflict: one is.
    """
    state = doc["properties"].get("provisioningState") if doc else None
    if doc and state in BUSY:
        raise Conflict(f"The {what} {doc['name']!r} is {state}; wait until that operation has ended, then try again.")


async def settle(work: Awaitable[None] | None, enter: Callable[[str], None], done: str = "Succeeded") -> None:
    """Wait for what `begin` gave, and enter the state in which the resource ends: `done` (empty: none), or Failed."""
    try:
        if work is not None:
            await work
    except ArmError:
        enter("Failed")
        raise
    if done:
        enter(done)
