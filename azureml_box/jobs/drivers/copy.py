"""A data transfer step: the files of all inputs in one output."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path


def main() -> None:
    """Exit code 1 where two inputs have a file of one name and the mode is `fail_if_conflict`."""
    parser = argparse.ArgumentParser("copy")
    parser.add_argument("--mode", choices=["merge_with_overwrite", "fail_if_conflict"], required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("inputs", nargs="+", type=Path)
    options = parser.parse_args()
    for source in options.inputs:
        for path in [source] if source.is_file() else sorted(source.rglob("*")):
            if path.is_file():
                _copy(path, _target(options.output, source, path), options.mode)


def _target(output: Path, source: Path, path: Path) -> Path:
    if not output.is_dir():  # an output that is one file
        return output
    return output / (path.name if source == path else path.relative_to(source))


def _copy(path: Path, target: Path, mode: str) -> None:
    if target.exists() and mode == "fail_if_conflict":
        sys.exit(f"{target.name} is in more than one input, and data_copy_mode is fail_if_conflict")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, target)
    print(f"copied {path.name}")


if __name__ == "__main__":
    main()
