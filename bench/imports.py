"""How long `import function_app` takes against a bare `import azure.functions`, each in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from statistics import median

from bench.row import Row

ROOT = Path(__file__).resolve().parents[1]
ROUNDS = 5


def measure() -> Row:
    """Alternate the two, so that what else the machine does hits both."""
    found: dict[str, list[float]] = {"azure.functions": [], "function_app": []}
    for name in found:
        _seconds(name)  # warms the file cache
    for _ in range(ROUNDS):
        for name, values in found.items():
            values.append(_seconds(name))
    bare, ours = (median(values) for values in found.values())
    note = f"medians of {ROUNDS}: {ours * 1000:.0f} ms against {bare * 1000:.0f} ms"
    return Row("import function_app / azure.functions", 1.3, ours / bare, "×", note)


def _seconds(module: str) -> float:
    code = f"import time; t = time.perf_counter(); import {module}; print(time.perf_counter() - t)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    return float(done.stdout)
