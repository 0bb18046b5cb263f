"""A command as a process of its own: its time, its peak of memory, and what it printed.

A bare interpreter starts it and waits for it (`python -m bench.alone` without the site): the kernel counts a parent's
pages at the fork into the child's peak, and the bench itself is larger than what it measures.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

WITHIN_SECONDS = 600


@dataclass(frozen=True)
class Ran:
    """Wall seconds from its start to its end, the peak of its resident memory in MB (10⁶ bytes), what it wrote."""

    seconds: float
    peak_mb: float
    code: int
    printed: str
    said: str = ""


def run(command: Sequence[str], cores: Collection[int] = ()) -> Ran:
    """Run it, only on these cores where some are given."""
    wrapper = [sys.executable, "-I", "-S", __file__, json.dumps(sorted(cores)), *command]
    done = subprocess.run(wrapper, capture_output=True, check=True, timeout=WITHIN_SECONDS)
    return Ran(**json.loads(done.stdout), said=done.stderr.decode("utf-8", "replace"))


def one_core() -> set[int]:
    """Return the last core that we may use: the first has the machine's interrupts."""
    return {max(os.sched_getaffinity(0))}


def program(name: str) -> str:
    """Return the path of a program that lies beside this interpreter."""
    return str(Path(sys.executable).with_name(name))


def _main(cores: list[int], command: list[str]) -> None:
    if cores:
        os.sched_setaffinity(0, cores)
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    printed = process.stdout.read().decode("utf-8", "replace")
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    found = {"seconds": seconds, "peak_mb": usage.ru_maxrss * 1024 / 1e6, "code": process.returncode}
    print(json.dumps({**found, "printed": printed}))


if __name__ == "__main__":
    _main(json.loads(sys.argv[1]), sys.argv[2:])
