"""Which rows of the data files are learnt from: the real component's rules.

Facts: AZUREML_CONTRACT.md section 1 "Data format" (Azure/azureml-assets, preprocess).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import StepError

LEAST_TRAINING_ROWS = 10


@dataclass(frozen=True)
class Row:
    """A conversation that is kept."""

    messages: list[dict[str, Any]]
    tools: Any = None


@dataclass(frozen=True)
class Splits:
    """The rows of the three sets."""

    train: list[Row]
    validation: list[Row]
    test: list[Row]


def read_rows(path: Path) -> list[Row]:
    """Read a JSON-lines or JSON file and keep the rows that can be learnt from."""
    rows = _filtered(_records(path))
    if not rows:
        raise StepError(
            f"Found no examples after data preprocessing for {path.name}. Each line needs `messages` with at least "
            "two messages."
        )
    return rows


def split(train: list[Row], validation: list[Row] | None, test: list[Row] | None) -> Splits:
    """Fill missing sets from the training rows, by position: 80/10/10, or 80/20 where one set is given."""
    if validation is not None and test is not None:
        return Splits(train, validation, test)
    kept = int(len(train) * 0.8)
    first, rest = train[:kept], train[kept:]
    if validation is None and test is None:
        half = (len(rest) + 1) // 2
        return Splits(first, rest[:half], rest[half:])
    return Splits(first, rest if validation is None else validation, rest if test is None else test)


def check_enough(rows: list[Row]) -> None:
    """Refuse a training set that is too small."""
    if len(rows) < LEAST_TRAINING_ROWS:
        raise StepError(
            f"Training dataset has {len(rows)} non-null samples, which is fewer than {LEAST_TRAINING_ROWS} samples. "
            "Add conversations."
        )


def _records(path: Path) -> list[dict[str, Any]]:
    kind = path.suffix.lower()
    try:
        text = path.read_text(encoding="utf-8-sig")
        if kind == ".jsonl":
            return [json.loads(line) for line in text.split("\n") if line.strip()]
        if kind == ".json":
            whole = text.lstrip()
            return json.loads(text) if whole[:1] == "[" else [json.loads(x) for x in text.split("\n") if x.strip()]
    except (OSError, ValueError) as error:
        raise StepError(f"Error while loading the dataset: {path.name}: {error}") from error
    raise StepError(
        f"Data format not supported: {path.name}. The box's trainer reads .jsonl and .json; Azure's also takes csv, "
        "tsv, parquet and MLTable."
    )


def _filtered(records: list[dict[str, Any]]) -> list[Row]:
    if not all(isinstance(record, dict) for record in records):
        raise StepError("Error while loading the dataset: a row is not a JSON object.")
    columns = {key for record in records for key in record}
    if records and "messages" not in columns:
        raise StepError(f"The dataset has the columns {sorted(columns)}; the column `messages` is required.")
    with_tools = "tools" in columns
    return [_row(record) for record in records if _kept(record, with_tools)]


def _kept(record: dict[str, Any], with_tools: bool) -> bool:
    messages = record.get("messages")
    enough = isinstance(messages, list) and len(messages) > 1
    return enough and (not with_tools or bool(record.get("tools")))


def _row(record: dict[str, Any]) -> Row:
    messages = [{key: value for key, value in message.items() if value is not None} for message in record["messages"]]
    return Row(messages, record.get("tools"))
