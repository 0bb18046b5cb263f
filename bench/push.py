"""From a committed upload to the call of its handler.

Begins with the commit as storage dates it (in the end of its answer to the client) and ends where the functions host
called `dataset_uploaded`: its log line's time less the call's length. Both are clocks of this machine, to the millisecond.
"""

from __future__ import annotations

import re
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import requests

from bench.row import Row, middle

COUNT = 20
WITHIN_SECONDS = 10.0
_LINE = re.compile(r"^(\S+ \S+),(\d{3}) \S+ functions dataset_uploaded \S+ ([\d.]+) ms succeeded", re.MULTILINE)


def measure(log: Path, eventgrid: str) -> Row:
    """Upload companions, which wake the handler and start no run, one after the other."""
    from shared.azure.blobs import Container

    datasets = Container("datasets")
    values = []
    for number in range(COUNT + 1):
        path = f"bench-push-{number}/test.jsonl"
        known = len(_calls(log))
        datasets.write(path, b'{"messages": []}\n')
        called = _next_call(log, known)
        values.append((called - _committed(eventgrid, path)) * 1000)
        time.sleep(0.2)
    return middle("committed upload → handler's call", 50, "ms", values[1:], "after one to warm up")


def _calls(log: Path) -> list[float]:
    """When each call began, in seconds since 1970."""
    text = log.read_text(encoding="utf-8", errors="replace")
    return [
        datetime.strptime(at, "%Y-%m-%d %H:%M:%S").astimezone().timestamp() + int(ms) / 1000 - float(took) / 1000
        for at, ms, took in _LINE.findall(text)
    ]


def _next_call(log: Path, known: int) -> float:
    ends = time.monotonic() + WITHIN_SECONDS
    while time.monotonic() < ends:
        if len(calls := _calls(log)) > known:
            return calls[known]
        time.sleep(0.02)
    raise TimeoutError(f"dataset_uploaded was not called within {WITHIN_SECONDS:.0f} s of an upload; see {log}")


def _committed(eventgrid: str, path: str) -> float:
    answer = requests.get(f"{eventgrid}/_eventgrid/deliveries", params={"last": "50"}, timeout=10)
    answer.raise_for_status()
    found: list[dict[str, Any]] = [one for one in answer.json()["deliveries"] if one["subject"].endswith(f"/{path}")]
    return datetime.fromisoformat(found[-1]["event_time"]).timestamp()
