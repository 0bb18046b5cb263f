"""Rows on their way from reading to counting."""

from __future__ import annotations

from typing import Any


class Batch:
    """Rows without errors that are counted together: where they stand, what they say."""

    def __init__(self) -> None:
        self.lines: list[int] = []
        self.places: list[int] = []
        self.texts: list[list[str]] = []
        self.contents: dict[int, bytes] = {}
        self.rows: list[Any] = []

    def add(self, line: int, place: int, texts: list[str], row: Any, content: bytes | None = None) -> None:
        """Adds a row; `row` is what the snapshot has of it, `content` its bytes where they are more than roles and texts."""
        if content is not None:
            self.contents[len(self.lines)] = content
        self.lines.append(line)
        self.places.append(place)
        self.texts.append(texts)
        self.rows.append(row)
