"""Records as released droptunes wrote them, for whoever has to show that today's still loads and finishes them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "unit" / "shared" / "fixtures"


@dataclass(frozen=True)
class OldRecord:
    """One record: `version` is its schema's, `name` its file's, as `endpoint-asleep-wanted`; `data` the blob's bytes."""

    version: int
    name: str
    data: bytes

    @property
    def kind(self) -> str:
        """`upload`, `run` or `endpoint`."""
        return self.name.partition("-")[0]

    @property
    def fields(self) -> dict[str, Any]:
        """What it says."""
        return dict(json.loads(self.data))


def old_records(version: int = 1) -> list[OldRecord]:
    """All of a version, in order of their names."""
    folder = FOLDER / f"records-v{version}"
    return [OldRecord(version, path.stem, path.read_bytes()) for path in sorted(folder.glob("*.json"))]
