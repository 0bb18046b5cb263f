"""Bad weather: rules by which a share of the calls to Azure ML and to the storage fails, put in force again after a kill."""

from __future__ import annotations

import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

from local.box import faults
from local.box.errors import BoxError
from tests.chaos.history import History
from tests.chaos.world import World

# Time-outs are played by `close` before and after the effect: a client that waits learns no more than one that is cut off.
KINDS: tuple[dict[str, Any], ...] = (
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 503, "retry_after": "seconds", "retry_seconds": 1},
    {"kind": "status", "status": 429, "retry_after": "seconds", "retry_seconds": 1},
    {"kind": "status", "status": 500, "when": "after"},
    {"kind": "close", "when": "after"},
    {"kind": "reset", "when": "before"},
    {"kind": "reset", "when": "after"},
    {"kind": "half"},
    {"kind": "delay", "delay": 2},
)
_ACCOUNT = "/devstoreaccount1"
# What droptune calls. Azure's own traffic (a job's metrics, the emulator's reading of snapshots, the host's leases) is
# Azure's business.
PLACES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("azureml", {"path": "**/workspaces/**", "method": "PUT"}),
    ("azureml", {"path": "**/workspaces/**", "method": "GET"}),
    ("azureml", {"path": "**/workspaces/**", "method": "DELETE"}),
    *(
        ("storage", {"path": f"{_ACCOUNT}/{name}/**"})
        for name in ("datasets", "uploads", "runs", "endpoints", "active")
    ),
    ("storage", {"path": f"{_ACCOUNT}/snapshots/**", "method": "PUT"}),
    ("storage", {"path": f"{_ACCOUNT}/droptune-work/**"}),
)


def rules(share: float, seed: int) -> list[tuple[str, dict[str, Any]]]:
    """The rules that break `share` of the calls to each place, all kinds alike."""
    each = 1 - (1 - share) ** (1 / len(KINDS))
    made = []
    for number, (service, place) in enumerate(PLACES):
        for index, kind in enumerate(KINDS):
            if service == "storage" and kind.get("status") == 429:
                kind = {**kind, "status": 503, "code": "OperationTimedOut"}  # so Azure's storage says that it is busy
            dice = {"probability": round(each, 5), "seed": seed * 1000 + number * 20 + index, "times": 0}
            made.append((service, {**place, **kind, **dice}))
    return made


class Weather(threading.Thread):
    """Keeps the rules in force while it storms, and notes what fired and what was called."""

    def __init__(self, home: Path, world: World, history: History, share: float, seed: int) -> None:
        super().__init__(daemon=True)
        self._home, self._world, self._history, self._share, self._seed = home, world, history, share, seed
        self._epoch, self._last = 0, 0
        self._counts: dict[tuple[str, int], dict[str, tuple[str, int, int]]] = {}
        self._fell: dict[str, int] = Counter()
        self._storms, self._ended = share > 0, False
        self._at_work = threading.Lock()

    def run(self) -> None:
        """Look twice a second."""
        while not self._ended:
            self.look()
            time.sleep(0.4)

    def look(self) -> None:
        """One look; what does not answer now is looked at the next time."""
        with self._at_work:
            for service in faults.SERVICES:
                try:
                    self._look_at(service)
                except (BoxError, OSError):
                    pass
            try:
                self._note_calls()
            except (OSError, ValueError):
                pass

    def calm(self) -> None:
        """Takes all rules away, and sees that they stay away."""
        self._storms = False
        for _ in range(60):
            self.look()
            try:
                if not faults.listing(self._home)["faults"]:
                    return
                faults.clear(self._home, None)
            except (BoxError, OSError):
                time.sleep(0.5)
        raise AssertionError("the faults cannot be cleared")

    def end(self) -> None:
        """Looks no more."""
        self._ended = True
        self.join(30)

    def fired(self) -> dict[str, int]:
        """How many calls each kind of fault broke."""
        found: Counter[str] = Counter()
        for rules_of in self._counts.values():
            for name, count, _ in rules_of.values():
                found[name] += count
        return dict(sorted(found.items()))

    def seen(self) -> int:
        """How many calls there were that the first rule of a place saw: all that might have been broken."""
        return sum(
            seen for rules_of in self._counts.values() for name, _, seen in rules_of.values() if name.endswith("!")
        )

    def _look_at(self, service: str) -> None:
        control = faults.control_of(self._home, service)
        found = control.faults()["faults"]
        if not found and self._storms:
            self._fell[service] += 1
            self._history.note("storm", service=service)
            for which, rule in rules(self._share, self._seed + self._fell[service]):
                if which == service:
                    faults.add(self._home, service, rule)
            return
        self._counts[service, self._fell[service]] = {
            rule["id"]: (f"{service} {_name(rule)}", rule["fired"], rule["seen"]) for rule in found
        } or self._counts.get((service, self._fell[service]), {})

    def _note_calls(self) -> None:
        found = self._world.emulator(f"calls?after={max(0, self._last - 200)}&limit=5000")
        if found["last"] < self._last:
            self._epoch, self._last = self._epoch + 1, 0
            found = self._world.emulator("calls?after=0&limit=5000")
        self._last = found["last"]
        for call in found["calls"]:
            self._history.calls[self._epoch, call["number"]] = call


def _name(rule: dict[str, Any]) -> str:
    kind = f"status {rule['status']}" if rule["kind"] == "status" else rule["kind"]
    return f"{kind} {'after' if rule['when'] == 'after' or rule['kind'] == 'half' else 'before'}"
