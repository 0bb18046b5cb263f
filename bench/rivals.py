"""What a user would check a chat file with today: `python bench/rivals.py WAY FILE` prints the seconds that it took.

Runs in the rival's own environment, so it imports nothing of ours. Its imports are no part of the time.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable

ROLES = ("system", "user", "assistant", "tool")


def together(path: str) -> Callable[[], int]:
    """Return the `together` package's own check of a file before its upload."""
    from together.lib.utils.files import check_file

    def check() -> int:
        report = check_file(path)
        if not report["is_check_passed"]:
            raise SystemExit(f"together rejects it: {report}")
        return int(report["num_samples"])

    return check


def pandas(path: str) -> Callable[[], int]:
    """Return the script that people write: a data frame, then each message's role and content."""
    import pandas as pd

    def check() -> int:
        frame = pd.read_json(path, lines=True)
        for number, messages in enumerate(frame["messages"], 1):
            if not isinstance(messages, list) or not messages:
                raise SystemExit(f"row {number}: messages")
            for message in messages:
                if message.get("role") not in ROLES:
                    raise SystemExit(f"row {number}: role")
                if not isinstance(message.get("content"), str) or not message["content"].strip():
                    raise SystemExit(f"row {number}: content")
        return len(frame)

    return check


def lines(path: str) -> Callable[[], int]:
    """Return no check at all: Python reads the lines."""

    def read() -> int:
        count = 0
        with open(path, "rb") as file:  # noqa: PTH123  (as everybody writes it)
            for _ in file:
                count += 1
        return count

    return read


WAYS = {"together": together, "pandas": pandas, "lines": lines}


def _main(way: str, path: str) -> None:
    check = WAYS[way](path)
    began = time.perf_counter()
    rows = check()
    print(json.dumps({"seconds": time.perf_counter() - began, "rows": rows}))


if __name__ == "__main__":
    _main(*sys.argv[1:])
