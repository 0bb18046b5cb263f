"""What became of a dataset."""

from __future__ import annotations

from typing import Any

import msgspec

from shared.datasets.findings import Finding


class Verdict(msgspec.Struct, frozen=True):
    """What became of a dataset: `counts` are rows a side, `kinds` counts all findings by their code."""

    accepted: bool
    rows: int
    findings: list[Finding]
    findings_total: int
    profile: dict[str, Any]
    counts: dict[str, int] = {}
    kinds: list[dict[str, Any]] = []

    def as_json(self) -> dict[str, Any]:
        """The document of `droptune check --json`."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        return plain
