"""What happened in a chaos run, in order: for whoever has to understand a failing one."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


class History:
    """Moments in a file, a line each; the calls to the emulator beside them, by its life and their number."""

    def __init__(self, path: Path) -> None:
        self.path, self.calls = path, dict[tuple[int, int], dict[str, Any]]()
        self._lock = threading.Lock()

    def note(self, what: str, **more: Any) -> None:
        """Writes a moment."""
        line = json.dumps({"at": datetime.now(UTC).isoformat(timespec="milliseconds"), "what": what, **more})
        with self._lock, self.path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def close(self, **end: Any) -> None:
        """Writes the calls and the end."""
        for (life, _), call in sorted(self.calls.items()):
            self.note("call", life=life, call=call)
        self.note("end", **end)
