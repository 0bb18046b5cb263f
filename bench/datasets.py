"""`droptune check` against what else checks a chat file, in the same run, over 800 MB like ultrachat_200k.

Ours counts as a whole process, start and end included; of a rival's, only its check, imports excluded. They take
turns on one core, and each round gives a ratio of its own: what else the machine does hits both. `together` checked
roles and messages up to 2.14.0; since 2.15.0 it only sees whether lines are UTF-8 and JSON ("semantic checks run on
the server"), so both stand here.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median

from bench import alone, chat_data, rivals
from bench.row import Row, middle

ROUNDS = 3
MEGABYTES = 800
PANDAS_MEGABYTES = 200  # it holds fifteen times the file in memory
LARGE = 2_000  # of the memory's measure, with DROPTUNE_BENCH_LARGE=1
CACHE = Path(__file__).resolve().parents[1] / ".cache" / "bench"
CHECKING, LENIENT = "together 2.14.0's check_file (roles too)", "together 3.1.1's check_file (UTF-8 and JSON only)"
PANDAS = "pandas.read_json and a loop over the messages"
LINES = "for line in open(path, 'rb')"
OURS, OURS_BARE, OURS_2, OURS_2_BARE = "ours", "ours, messages only", "ours, two processes", "ours, two, messages only"


def measure() -> list[Row]:
    """Measure speed, then memory, then a small file."""
    return [*speed(), *memory(), small()]


def speed() -> list[Row]:
    """Return the ratios: how many times the rival's rate ours is."""
    full, bare = data(MEGABYTES), data(MEGABYTES, bare=True)
    rates = _in_turns(_ways(full, bare))
    promises = (
        ("check", OURS_BARE, CHECKING, 4),
        ("check", OURS, LENIENT, 4),
        ("check", OURS, PANDAS, 15),
        ("check", OURS, LINES, 0.4),
        ("check in two processes", OURS_2_BARE, CHECKING, 7),
        ("check in two processes", OURS_2, LENIENT, 7),
    )
    return [_ratio(f"{what}, of {name}", least, rates[ours], rates[name]) for what, ours, name, least in promises]


def memory() -> list[Row]:
    """Return the peaks over a bare interpreter's; they should not know the file's size."""
    bare = alone.run([sys.executable, "-c", "pass"]).peak_mb
    sizes = (2, LARGE if os.environ.get("DROPTUNE_BENCH_LARGE") else MEGABYTES)
    return [_peak(megabytes, bare) for megabytes in sizes]


def small() -> Row:
    """Return the time of a small file: start-up, mostly."""
    path = data(1)
    values = [_checked(path, 2, set()).seconds for _ in range(ROUNDS + 1)]
    return middle("droptune check of 1 MB", 0.3, "s", values[1:], "whole process, after one to warm up")


def data(megabytes: int, *, bare: bool = False) -> Path:
    """Return a file of that size, made once for each version of its maker; `bare` of all columns but `messages`."""
    version = hashlib.sha256(Path(chat_data.__file__).read_bytes()).hexdigest()[:8]
    path = CACHE / f"{'messages' if bare else 'chat'}-{megabytes}-{version}.jsonl"
    if not path.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        chat_data.write(part, megabytes, bare=bare)
        part.rename(path)
    return path


def _ways(full: Path, bare: Path) -> dict[str, Callable[[], float]]:
    """Return each way of checking; together 2.14.0 refuses any column besides `messages`, so it has its own file."""
    core, little = alone.one_core(), data(PANDAS_MEGABYTES)
    checking, lenient = (_environment(f"together=={version}") for version in ("2.14.0", "3.1.1"))
    return {
        OURS: lambda: _rate(full, _checked(full, 1, core).seconds),
        OURS_BARE: lambda: _rate(bare, _checked(bare, 1, core).seconds),
        CHECKING: lambda: _rate(bare, _rival(checking, "together", bare, core)),
        LENIENT: lambda: _rate(full, _rival(lenient, "together", full, core)),
        OURS_2: lambda: _rate(full, _checked(full, 2, set()).seconds),
        OURS_2_BARE: lambda: _rate(bare, _checked(bare, 2, set()).seconds),
        PANDAS: lambda: _rate(little, _rival(sys.executable, "pandas", little, core)),
        LINES: lambda: _rate(full, _rival(sys.executable, "lines", full, core)),
    }


def _rate(path: Path, seconds: float) -> float:
    """Return MB a second."""
    return path.stat().st_size / 1e6 / seconds


def _in_turns(ways: dict[str, Callable[[], float]]) -> dict[str, list[float]]:
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            rates[name].append(way())
    return rates


def _checked(path: Path, processes: int, cores: set[int]) -> alone.Ran:
    command = [alone.program("droptune"), "check", str(path), "--json", "--processes", str(processes)]
    ran = alone.run(command, cores)
    if ran.code:
        raise RuntimeError(f"droptune check ended with {ran.code}: {ran.printed[:300]} {ran.said[-700:]}")
    return ran


def _rival(python: str, way: str, path: Path, cores: set[int]) -> float:
    ran = alone.run([python, "-I", rivals.__file__, way, str(path)], cores)
    if ran.code:
        raise RuntimeError(f"{way} ended with {ran.code}: {ran.printed[:300]} {ran.said[-700:]}")
    return float(json.loads(ran.printed.splitlines()[-1])["seconds"])


def _environment(package: str) -> str:
    """Return the interpreter of a virtual environment with that package, made once."""
    folder = CACHE / package.replace("==", "-")
    python, ready = folder / "bin" / "python", folder / "ready"
    if not ready.exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True, timeout=120)
        subprocess.run([str(python), "-m", "pip", "install", "-q", package], check=True, timeout=600)
        ready.touch()
    return str(python)


def _ratio(what: str, target: float, ours: list[float], theirs: list[float]) -> Row:
    ratios = [our / their for our, their in zip(ours, theirs, strict=True)]
    note = f"{median(ours):.0f} MB/s against {median(theirs):.0f}"
    return middle(what, target, "×", ratios, note, at_least=True)


def _peak(megabytes: int, bare: float) -> Row:
    peak = _checked(data(megabytes), 1, set()).peak_mb
    note = f"peak of RSS {peak:.0f} MB, a bare interpreter's {bare:.0f}"
    return Row(f"memory of checking {megabytes} MB", 64, peak - bare, "MB", note)


if __name__ == "__main__":
    for row in measure():
        print(f"{row.what}: {row.measured:.3g} {row.unit} ({row.promise}; {row.note})", flush=True)
