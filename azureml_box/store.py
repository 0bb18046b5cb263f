"""Documents by kind and key in one SQLite file: survives a restart, needs nothing installed."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from azureml_box.migrations import PLACE, migrate

Rows = list[tuple[Any, ...]]
Numbered = list[tuple[int, dict[str, Any]]]
_LARGEST, _BATCH = 2**63 - 1, 100
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
        self._db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL")
        try:
            migrate(self._db, path)
        except BaseException:
            self._db.close()
            raise

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

    def page(
        self, kind: str, limit: int, *, after: int | None = None, below: str | None = None, newest_first: bool = False
    ) -> Numbered:
        """Documents with their numbers, from behind a number on: each step costs the same, however far down.

        `below` is what comes before the last part of a key; without it, all of the kind.
        """
        sql = _page_sql(below is not None, newest_first)
        start = (_LARGEST if newest_first else 0) if after is None else after
        values = (kind, start, limit) if below is None else (kind, below, start, limit)
        with self._lock:
            rows = self._db.execute(sql, values).fetchall()
        return [(number, json.loads(text)) for number, text in rows]

    def walk(self, kind: str, below: str | None = None, *, newest_first: bool = False) -> Iterator[dict[str, Any]]:
        """The same, without an end: reads on only as far as somebody asks."""
        after = None
        while batch := self.page(kind, _BATCH, after=after, below=below, newest_first=newest_first):
            yield from (doc for _, doc in batch)
            after = batch[-1][0]

    def names(self, kind: str, below: str) -> list[str]:
        """The last parts of the keys below one place; reads no document."""
        with self._lock:
            rows = self._db.execute(f"SELECT key FROM documents WHERE kind = ? AND {PLACE} = ?", (kind, below))
            return [key[len(below) :] for (key,) in rows]

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

    def delete_all(self, kind: str, prefix: str) -> None:
        """Delete the documents whose key begins with `prefix`."""
        with self._lock:
            self._db.execute(
                "DELETE FROM documents WHERE kind = ? AND substr(key, 1, ?) = ?", (kind, len(prefix), prefix)
            )

    def clear(self) -> None:
        """Delete every document."""
        with self._lock:
            self._db.execute("DELETE FROM documents")

    def rows(self, sql: str, values: tuple[Any, ...] = ()) -> Rows:
        """What a statement finds, in a table other than the documents'."""
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    def insert(self, sql: str, values: tuple[Any, ...]) -> int:
        """Add a row to such a table; its number."""
        with self._lock:
            return int(self._db.execute(sql, values).lastrowid or 0)

    def last(self, table: str) -> int:
        """The highest number that a table has given out, to rows that are gone too."""
        found = self.rows("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,))
        return int(found[0][0]) if found else 0

    def backup(self, path: Path) -> None:
        """Write the whole database, as it is at one moment, into a new file."""
        with self._lock:
            self._db.execute("VACUUM INTO ?", (str(path),))

    def take(self, path: Path, tables: tuple[str, ...]) -> None:
        """Replace what is in some tables by what another database of this version has there, at once."""
        with self._lock:
            self._db.execute("ATTACH ? AS other", (str(path),))
            try:
                self._db.execute("BEGIN IMMEDIATE")
                for table in tables:  # names of our own tables, never what a client sent
                    self._db.execute(f"DELETE FROM main.{table}")
                    self._db.execute(f"INSERT INTO main.{table} SELECT * FROM other.{table}")
                self._db.execute("COMMIT")
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            finally:
                self._db.execute("DETACH other")

    def close(self) -> None:
        """Flush the write-ahead log and let go of the file."""
        with self._lock:
            self._db.close()


def _page_sql(placed: bool, newest_first: bool) -> str:
    place = f"AND {PLACE} = ? " if placed else ""
    behind = "number < ? ORDER BY number DESC" if newest_first else "number > ? ORDER BY number"
    return f"SELECT number, doc FROM documents WHERE kind = ? {place}AND {behind} LIMIT ?"
