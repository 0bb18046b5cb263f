"""Ends our services at random moments, as kill -9 or a frozen machine does; the box's supervisor starts them again."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections import Counter
from pathlib import Path

from local.box import state
from tests.chaos.history import History

# Azurite keeps seconds of its metadata in memory, as Azure does not: it is asked to end, never killed.
OTHERS = ("azureml", "eventgrid", "identity", "storage")
# Longer than the host's leases on its timers (15 s).
FROZEN = 20.0


class Killer:
    """Knows the box's processes by what its supervisor tells."""

    def __init__(self, home: Path, history: History, dice: random.Random) -> None:
        self._home, self._history, self._dice = home, history, dice
        self.killed: Counter[str] = Counter()
        self._frozen: list[threading.Timer] = []

    def kill(self, service: str) -> bool:
        """Ends one process of a service; False where none runs at this moment."""
        pid = self._one_of(service)
        if pid is None:
            return False
        number = signal.SIGTERM if service == "storage" else signal.SIGKILL
        self._history.note("kill", service=service, pid=pid, signal=number.name)
        if not _send(pid, number):
            return False
        self.killed[f"{service} {number.name}"] += 1
        return True

    def freeze(self, seconds: float = FROZEN) -> bool:
        """Stops a functions host past its leases, and lets it go on as if nothing had been."""
        pid = self._one_of("functions")
        if pid is None or not _send(pid, signal.SIGSTOP):
            return False
        self._history.note("freeze", service="functions", pid=pid, seconds=seconds)
        self.killed["functions SIGSTOP"] += 1
        timer = threading.Timer(seconds, self._thaw, [pid])
        timer.start()
        self._frozen.append(timer)
        return True

    def end(self) -> None:
        """Waits until nothing is frozen any more."""
        for timer in self._frozen:
            timer.join()

    def _thaw(self, pid: int) -> None:
        self._history.note("thaw", pid=pid)
        _send(pid, signal.SIGCONT)

    def _one_of(self, service: str) -> int | None:
        until = time.monotonic() + 30
        while time.monotonic() < until:
            known = state.read(self._home)
            if known and known.pids.get(service):
                return self._dice.choice(known.pids[service])
            time.sleep(0.2)
        return None


def _send(pid: int, number: signal.Signals) -> bool:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True
