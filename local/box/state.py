"""What the supervisor tells of itself (`run.json`), and the lock that keeps it alone in its home."""

import fcntl
import os
from pathlib import Path
from typing import IO

import msgspec


class RunState(msgspec.Struct):
    """`phase` is starting, ready, failed or stopping; `problem` says why it failed; pids by service."""

    supervisor: int
    phase: str
    problem: str = ""
    pids: dict[str, list[int]] = {}
    progress: list[str] = []


def read(home: Path) -> RunState | None:
    """Return what the last supervisor wrote, or None."""
    try:
        return msgspec.json.decode((home / "run.json").read_bytes(), type=RunState)
    except (OSError, msgspec.MsgspecError):
        return None


def write(home: Path, state: RunState) -> None:
    """Write it in one step."""
    temporary = home / "run.json.new"
    temporary.write_bytes(msgspec.json.encode(state))
    temporary.replace(home / "run.json")


def lock(home: Path) -> IO[str] | None:
    """Take the home's lock for as long as the file stays open; None where a supervisor holds it."""
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = (home / "supervisor.lock").open("a+", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return None
    os.set_inheritable(file.fileno(), False)
    return file


def is_running(home: Path) -> bool:
    """Tell whether a supervisor holds the lock."""
    if not (home / "supervisor.lock").is_file():
        return False
    held = lock(home)
    if held is None:
        return True
    held.close()
    return False
