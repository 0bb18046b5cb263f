"""Arguments of a step: exactly the names that its component passes, all as text."""

from __future__ import annotations

import argparse
from collections.abc import Sequence


def parse(step: str, required: Sequence[str], optional: Sequence[str]) -> argparse.Namespace:
    """Parse `--name value` pairs; an unknown name is an error, an absent optional one is None."""
    parser = argparse.ArgumentParser(prog=step, allow_abbrev=False)
    for name in required:
        parser.add_argument(f"--{name}", required=True)
    for name in optional:
        parser.add_argument(f"--{name}")
    return parser.parse_args()
