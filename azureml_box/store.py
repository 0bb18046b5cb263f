"""Documents by kind and key in one SQLite file: survives a restart, needs nothing installed."""

from __future__ import annotations

import json
import sqlite3
import threading
from pathlib import Path
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
    number INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, key TEXT NOT NULL, doc TEXT NOT NULL,
    UNIQUE (kind, key));
CREATE INDEX IF NOT EXISTS documents_in_order ON documents (kind, number);
"""
_LARGEST = 2**63 - 1
_PUT = """
INSERT INTO documents (kind, key, doc) VALUES (?, ?, ?)
ON CONFLICT (kind, key) DO UPDATE SET doc = excluded.doc
"""


class Store:
    """A thread-safe table of JSON documents; listing follows the order of creation."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=10)
        # WAL with NORMAL loses nothing when the process dies, and spares a sync on every write.
        self._db.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; {_SCHEMA}")

    def put(self, kind: str, key: str, doc: dict[str, Any]) -> None:
        """Create or replace; a replaced document keeps its place in the order."""
        text = json.dumps(doc, separators=(",", ":"))
        with self._lock:
            self._db.execute(_PUT, (kind, key, text))

    def get(self, kind: str, key: str) -> dict[str, Any] | None:
        """A fresh copy of the document, or None."""
        with self._lock:
            row = self._db.execute("SELECT doc FROM documents WHERE kind = ? AND key = ?", (kind, key)).fetchone()
        return json.loads(row[0]) if row else None

    def delete(self, kind: str, key: str) -> bool:
        """True if there was such a document."""
        with self._lock:
            return self._db.execute("DELETE FROM documents WHERE kind = ? AND key = ?", (kind, key)).rowcount > 0

    def newest(self, kind: str, before: int | None, limit: int) -> list[tuple[int, dict[str, Any]]]:
        """Documents with their numbers, newest first, from below a number on: each step costs the same, however far down."""
        sql = "SELECT number, doc FROM documents WHERE kind = ? AND number < ? ORDER BY number DESC LIMIT ?"
        with self._lock:
            rows = self._db.execute(sql, (kind, before if before is not None else _LARGEST, limit)).fetchall()
        return [(number, json.loads(text)) for number, text in rows]

    def list(
        self, kind: str, prefix: str = "", *, newest_first: bool = False, limit: int | None = None, offset: int = 0
    ) -> list[dict[str, Any]]:
        """Documents whose key begins with `prefix`, in order of creation."""
        order = "DESC" if newest_first else "ASC"
        # substr, not LIKE: names hold underscores, and case counts.
        sql = f"SELECT doc FROM documents WHERE kind = ? AND substr(key, 1, ?) = ? ORDER BY number {order} LIMIT ? OFFSET ?"
        with self._lock:
            rows = self._db.execute(sql, (kind, len(prefix), prefix, -1 if limit is None else limit, offset)).fetchall()
        return [json.loads(row[0]) for row in rows]

    def clear(self) -> None:
        """Delete every document."""
        with self._lock:
            self._db.execute("DELETE FROM documents")

    def close(self) -> None:
        """Flush the write-ahead log and let go of the file."""
        with self._lock:
            self._db.close()
