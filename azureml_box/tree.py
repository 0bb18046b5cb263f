"""All processes of one run: its leader, what descends from it, and what left its session but not its environment."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable

import psutil

MARK = "AZUREML_BOX_RUN_FOLDER"
GRACE_SECONDS = 3.0
_SURE_SECONDS = 5.0
_LOOK_EVERY = 0.05


def members(folder: str, session: int | None = None) -> list[psutil.Process]:
    """The living processes of the run that works in `folder`.

    Numbers of processes come again, above all after a reboot, and a daemon leaves its parent and its session: the run's
    own variable, which children inherit, tells. What threw that away is found as a child or by its session.
    """
    everyone = {process.pid: process for process in psutil.process_iter(["ppid"])}
    found = {pid for pid, process in everyone.items() if marked(process, folder) or _in_session(pid, session)}
    while more := {pid for pid, process in everyone.items() if process.info["ppid"] in found} - found:
        found |= more
    return [everyone[pid] for pid in found if pid != os.getpid() and alive(everyone[pid])]


def alive(process: psutil.Process) -> bool:
    """Whether it does something still; an orphan that nobody has collected yet does not."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def end(folder: str, session: int | None = None, grace: float = GRACE_SECONDS) -> None:
    """Ends them all: politely, and after `grace` seconds for sure (blocks)."""
    left = members(folder, session)
    if not left:
        return
    _send(left, terminate=True)
    stops = time.monotonic() + grace
    while left and time.monotonic() < stops:
        time.sleep(_LOOK_EVERY)
        left = [process for process in left if alive(process)]
    stops = time.monotonic() + _SURE_SECONDS
    while time.monotonic() < stops:  # again, since a process may fork while the others are killed
        left = [*left, *members(folder, session)]
        if not left:
            return
        _send(left, terminate=False)
        time.sleep(_LOOK_EVERY)
        left = [process for process in left if alive(process)]


def marked(process: psutil.Process, folder: str) -> bool:
    """Whether a process was begun for the run that works in `folder`."""
    try:
        return process.environ().get(MARK) == folder
    except (psutil.Error, OSError):
        return False


def _in_session(pid: int, session: int | None) -> bool:
    # Its leader may have been collected, and its number be another's: the leader is known by the variable alone.
    try:
        return session is not None and pid != session and os.getsid(pid) == session
    except OSError:
        return False


def _send(processes: Iterable[psutil.Process], *, terminate: bool) -> None:
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.terminate() if terminate else process.kill()
