"""The report's tables, made with pandas from the rows that train."""

from __future__ import annotations

from pathlib import Path
from typing import Any

ROWS = 2_000
SAMPLE = 5
SHOWN = 600


def describe(train: Path) -> dict[str, Any]:
    """`table`: distribution of turns and characters over the first rows; `sample`: five rows, cut to 600 characters."""
    import pandas as pd

    frame = pd.read_json(train, lines=True, nrows=ROWS, dtype=False)
    messages = frame["messages"]
    figures = pd.DataFrame(
        {
            "turns": messages.map(len),
            "characters": messages.map(lambda row: sum(len(_text(message)) for message in row)),
            "characters of answers": messages.map(
                lambda row: sum(len(_text(message)) for message in row if message["role"] == "assistant")
            ),
        }
    )
    table = figures.describe(percentiles=[0.5, 0.95]).round(1)
    chosen = messages.sample(n=min(SAMPLE, len(messages)), random_state=0)
    return {
        "table": {
            "columns": list(table.columns),
            "rows": [
                {"name": str(name), "values": [float(v) for v in row]}
                for name, row in zip(table.index, table.to_numpy(), strict=True)
            ],
        },
        "sample": [[{"role": m["role"], "content": _text(m)[:SHOWN]} for m in row] for row in chosen],
    }


def _text(message: dict[str, Any]) -> str:
    content = message.get("content")
    return content if isinstance(content, str) else ""
