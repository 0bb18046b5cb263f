"""What Azure gets and starts: the package's size, that of its packages, and a cold start of all of it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from statistics import median

from bench.row import Row
from infra import package

ROUNDS = 3
# As the host does it: the worker's process, the app and its functions; then what the first message of a run imports.
COLD = "import function_app; function_app.app.get_functions()"
FIRST = "import azure.ai.ml, azure.identity, azure.storage.blob, azure.storage.queue"


def measure() -> Iterator[Row]:
    """Size and cold start; files come from this machine's cache, which Azure's first start has not got."""
    with tempfile.TemporaryDirectory(prefix="droptune-package-") as folder:
        built = package.build(Path(folder) / "package")
        files, size = package.size(built)
        packages, installed = _installed()
        told = f"{files} files; with the {packages} packages of the lock installed: {installed / 1e6:.0f} MB"
        yield Row("the package that is uploaded", 2, size / 1e6, "MB", told)
        app, first = (_seconds(built, code) for code in (COLD, f"{COLD}; {FIRST}"))
        note = f"median of {ROUNDS}, a process each, files cached; with what a run's first step imports {first:.1f} s"
        yield Row("cold start of the package", 1.5, app, "s", note)


def _installed() -> tuple[int, int]:
    """How many of the lock's packages this environment has, and their bytes."""
    count = total = 0
    for line in (package.ROOT / package.LOCK).read_text(encoding="utf-8").splitlines():
        name, pinned, _ = line.partition("==")
        if not pinned or line[:1] in " #":
            continue
        try:
            found = distribution(name)
        except PackageNotFoundError:
            continue
        count += 1
        total += sum(entry.size or 0 for entry in found.files or [])
    return count, total


def _seconds(folder: Path, code: str) -> float:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AZURE", "DROPTUNE"))}
    command = [sys.executable, "-c", f"import time; b = time.time(); {code}; print(time.time() - b)"]
    taken = []
    for _ in range(ROUNDS + 1):  # the first one compiles
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=True, timeout=120
        )
        taken.append(float(done.stdout))
    return median(taken[1:])
