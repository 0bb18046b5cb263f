"""The process of one step: in its own session, its output in a log that can be read at once.

It does not need the emulator: it writes its number and its exit code into files beside its folders, so that an emulator
that dies and comes back takes up the process where it is.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import psutil

from azureml_box import tree

_LOOK_EVERY = 0.1
# The number is there before the command begins. The command has a shell of its own, since it may end in `exit` or `exec`.
_SHELL = 'echo $$ > "$3"; bash -c "$1"; code=$?; echo $code > "$2.part" && mv "$2.part" "$2"; exit $code'


class LostError(Exception):
    """The process is gone and has left no exit code."""


async def run(command: str, folder: Path, log: Path, environment: dict[str, str], timeout: float | None) -> int:
    """Runs a command in `folder`/code to its end and returns its exit code; nothing of it is left then.

    Raises:
        TimeoutError: it outlived its limit.
    """
    for left in (_exit_file(folder), _pid_file(folder)):
        left.unlink(missing_ok=True)
    own = {**environment, tree.MARK: str(folder)}
    line = ["bash", "-c", _SHELL, "bash", command, str(_exit_file(folder)), str(_pid_file(folder))]
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *line, cwd=folder / "code", env=own, stdout=output, stderr=output, start_new_session=True
        )
    try:
        return await asyncio.wait_for(process.wait(), timeout)
    finally:
        await asyncio.shield(asyncio.to_thread(tree.end, str(folder), process.pid))
        _pid_file(folder).unlink(missing_ok=True)


def began(folder: Path) -> bool:
    """Whether the command of this folder was begun: an emulator may die before it has got so far."""
    return _exit_file(folder).exists() or _number(folder) is not None


async def adopt(folder: Path, timeout: float | None) -> int:
    """Waits for a process that a former emulator began, and returns its exit code.

    Raises:
        LostError: it is gone, and how it ended cannot be known.
        TimeoutError: it outlived its limit, which counts from its own beginning.
    """
    process = _noted(folder)
    ends = process.create_time() + timeout if process and timeout is not None else None
    try:
        while process is not None and tree.alive(process):
            if ends is not None and time.time() > ends:
                raise TimeoutError
            await asyncio.sleep(_LOOK_EVERY)
    finally:
        await asyncio.shield(asyncio.to_thread(tree.end, str(folder), process.pid if process else None))
        _pid_file(folder).unlink(missing_ok=True)
    try:
        return int(_exit_file(folder).read_text())
    except (OSError, ValueError):
        raise LostError("the emulator stopped while this job ran, and its process has left no exit code") from None


def end_left(folder: Path) -> None:
    """Ends for sure what is left of a run that worked in this folder (blocks)."""
    if folder.exists():
        process = _noted(folder)
        tree.end(str(folder), process.pid if process else None, grace=0)
        _pid_file(folder).unlink(missing_ok=True)


def _number(folder: Path) -> int | None:
    try:
        return int(_pid_file(folder).read_text())
    except (OSError, ValueError):
        return None


def _noted(folder: Path) -> psutil.Process | None:
    """The process that runs in this folder, unless another one has its number by now."""
    number = _number(folder)
    try:
        process = psutil.Process(number) if number is not None else None
        return process if process is not None and tree.marked(process, str(folder)) else None
    except psutil.Error:
        return None


def _pid_file(folder: Path) -> Path:
    return folder / "pid"


def _exit_file(folder: Path) -> Path:
    return folder / "exit"


def last_line(log: Path) -> str:
    """The last line of a log, which says most about a failure."""
    if not log.exists():
        return ""
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1].strip()[:500] if lines else ""
