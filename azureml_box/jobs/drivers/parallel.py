"""A parallel step: `init()` once, `run(files)` for each mini-batch, in one process, one after the other.

The script's contract: learn.microsoft.com/azure/machine-learning/how-to-use-parallel-job-in-pipeline.
"""

from __future__ import annotations

import argparse
import runpy
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any


def main() -> None:
    """Exit code 1 once more failed than the thresholds allow (-1: any number may)."""
    options = _options()
    sys.path.insert(0, str(Path.cwd()))
    sys.argv = [options.entry, *options.arguments]
    script = runpy.run_path(options.entry, run_name="entry_script")
    script.get("init", lambda: None)()
    batches = _batches(Path(options.input), options.size)
    files = failed = 0
    for batch in batches:
        lost = _lost(script["run"], batch, options.append)
        files, failed = files + lost, failed + (lost > 0)
    script.get("shutdown", lambda: None)()
    print(f"{len(batches)} mini-batches, {failed} failed; {files} files failed")
    if 0 <= options.batch_errors < failed or 0 <= options.file_errors < files:
        sys.exit("more failed than error_threshold or mini_batch_error_threshold allows")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("parallel")
    parser.add_argument("--entry", required=True)
    parser.add_argument("--input", required=True)
    parser.add_argument("--size", type=int, required=True)
    parser.add_argument("--file-errors", type=int, default=-1)
    parser.add_argument("--batch-errors", type=int, default=-1)
    parser.add_argument("--append")
    parser.add_argument("arguments", nargs="*")
    return parser.parse_args()


def _batches(source: Path, size: int) -> list[list[str]]:
    if (source / "MLTable").is_file():
        sys.exit("mini-batches of an MLTable's rows are not made by the emulator; give a folder of files")
    files = [source] if source.is_file() else sorted(path for path in source.rglob("*") if path.is_file())
    names = [str(path) for path in files]
    return [names[start : start + size] for start in range(0, len(names), size)]


def _lost(run: Callable[[list[str]], Any], batch: list[str], append: str | None) -> int:
    """How many files of a batch failed: all when `run` raises, else those for which it gave no result."""
    try:
        results = list(run(batch))
    except Exception:  # noqa: BLE001 - whatever the script raises counts against its thresholds
        traceback.print_exc()
        return len(batch)
    if append:
        with Path(append).open("a", encoding="utf-8") as rows:
            rows.writelines(f"{result}\n" for result in results)
    return max(len(batch) - len(results), 0)


if __name__ == "__main__":
    main()
