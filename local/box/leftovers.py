"""Processes that a crash left behind: found by the mark in their environment, and ended."""

import os
from collections.abc import Callable
from pathlib import Path

import psutil

from local.box.services import MARK

_GRACE = 2.0


def find(home: Path) -> list[psutil.Process]:
    """Return every process of the box at `home` but this one and its parents."""
    mine = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    return [one for one in psutil.process_iter() if one.pid not in mine and _belongs(one, str(home.absolute()))]


def end(home: Path) -> int:
    """End them, politely first, and return how many there were."""
    found = find(home)
    for one in found:
        _quietly(one.terminate)
    _, alive = psutil.wait_procs(found, _GRACE)
    for one in alive:
        _quietly(one.kill)
    psutil.wait_procs(alive, _GRACE)
    return len(found)


def _belongs(process: psutil.Process, home: str) -> bool:
    try:
        return bool(process.environ().get(MARK) == home)
    except (psutil.Error, OSError):
        return False


def _quietly(action: Callable[[], None]) -> None:
    try:
        action()
    except psutil.Error:
        pass
