"""A large file is read by several processes, and nothing is told otherwise for that."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from shared.datasets import parallel
from shared.datasets.check import check
from shared.datasets.sources import Local


def write(path: Path, rows: int, broken: list[int]) -> Path:
    """Rows of all sorts: plain, with columns, twice, with personal data, broken, blank."""
    choose = random.Random(3)
    with path.open("w", encoding="utf-8") as file:
        for number in range(rows):
            text = f"{choose.randrange(rows // 2)} é" + " ann.lee@contoso.com" * (number % 97 == 0)
            messages = [{"role": "user", "content": text}, {"role": "assistant", "content": "a" * (number % 50 + 1)}]
            row = {"messages": messages, **({"id": number} if number % 3 else {})}
            file.write(
                "{\n"
                if number in broken
                else json.dumps(row, ensure_ascii=number % 2 == 0) + "\n" * (1 + (number % 211 == 0))
            )
    return path


@pytest.mark.parametrize("broken", [[], [5, 2000, 3999]])
@pytest.mark.parametrize("processes", [2, 3])
def test_the_verdict_is_that_of_one_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: list[int], processes: int
) -> None:
    monkeypatch.setattr(parallel, "WORTH_IT", 1)
    source = Local(write(tmp_path / "rows.jsonl", 4000, broken))
    assert check({"dataset": source}, read=parallel.reader(processes)) == check({"dataset": source})


def test_progress_is_told_to_the_last_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "WORTH_IT", 1)
    told: list[int] = []
    path = write(tmp_path / "rows.jsonl", 500, [])
    check({"dataset": Local(path, told.append)}, read=parallel.reader(2))
    assert sum(told) == path.stat().st_size
