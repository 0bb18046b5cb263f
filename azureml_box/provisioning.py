"""How long resources take: at once, as long as Azure takes times a scale, or until a test lets them go on."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from azureml_box.errors import ArmError, BadRequest

# What Azure needs in the median until the resource can be used, in seconds: a node from nothing and its image; a cluster's
# resource; an instance, its image and the model. From its documentation and forums, not measured.
AZURES_SECONDS = {"jobs": 180.0, "computes": 15.0, "deployments": 480.0}
KINDS = tuple(AZURES_SECONDS)
MODES = ("immediate", "manual", "timed")

_RESOURCE = re.compile(r"/workspaces/[^/]+/(?:(jobs|computes)/([^/]+)|onlineEndpoints/([^/]+)/deployments/([^/]+))$")

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

    async def wait(self, kind: str, name: str) -> None:
        """Return when a resource may go on.

        Raises:
            ArmError: a fault says that it cannot be had.
        """
        if self.modes[kind] == "timed":
            await asyncio.sleep(AZURES_SECONDS[kind] * self.time_scale)
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
        match = _RESOURCE.search(path)
        if match is None:
            return
        kind = match[1] or "deployments"
        name = f"{match[3]}/{match[4]}" if match[3] else match[2]
        waiting = self._waiting.get((kind, name.lower() if kind == "computes" else name))
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
