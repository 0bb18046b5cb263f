"""What must survive a kill: deliveries that are not done, handshakes that are, and how far the outbox was read."""

import sqlite3
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from local.eventgrid.subscriptions import Event


@dataclass
class Delivery:
    """One event on its way to one subscription."""

    id: int
    subscription: str
    event: Event
    attempts: int
    next_at: float
    created: float


class Store:
    """A small sqlite database in WAL mode; every method is one transaction of well under a millisecond."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.executescript(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;"
            "CREATE TABLE IF NOT EXISTS pending (id INTEGER PRIMARY KEY AUTOINCREMENT, subscription TEXT, event BLOB,"
            " attempts INTEGER DEFAULT 0, next_at REAL, created REAL);"
            "CREATE TABLE IF NOT EXISTS validated (subscription TEXT, endpoint TEXT, PRIMARY KEY(subscription, endpoint));"
            "CREATE TABLE IF NOT EXISTS outbox (one INTEGER PRIMARY KEY CHECK (one = 1), position INTEGER);"
        )

    def add(self, wanted: Iterable[tuple[str, Event]], position: int | None = None) -> list[Delivery]:
        """Keep new deliveries and, in the same transaction, the outbox's position after them."""
        now = time.time()
        added = []
        with _transaction(self._db):
            for name, event in wanted:
                row = (name, msgspec.json.encode(event), now, now)
                cursor = self._db.execute(
                    "INSERT INTO pending (subscription, event, next_at, created) VALUES (?,?,?,?)", row
                )
                added.append(Delivery(int(cursor.lastrowid or 0), name, event, 0, now, now))
            if position is not None:
                self._db.execute("INSERT OR REPLACE INTO outbox VALUES (1, ?)", (position,))
        return added

    def pending(self) -> list[Delivery]:
        """Return everything that is not done, oldest first."""
        rows = self._db.execute("SELECT id, subscription, event, attempts, next_at, created FROM pending ORDER BY id")
        return [Delivery(row[0], row[1], msgspec.json.decode(row[2]), *row[3:]) for row in rows]

    def postpone(self, delivery: Delivery) -> None:
        """Keep how often it was tried and when it is due again."""
        row = (delivery.attempts, delivery.next_at, delivery.id)
        self._db.execute("UPDATE pending SET attempts = ?, next_at = ? WHERE id = ?", row)

    def done(self, delivery: Delivery) -> None:
        """Forget a delivery that arrived or was given up."""
        self._db.execute("DELETE FROM pending WHERE id = ?", (delivery.id,))

    def position(self) -> int:
        """Return how far the outbox was read, in bytes."""
        row = self._db.execute("SELECT position FROM outbox").fetchone()
        return int(row[0]) if row else 0

    def is_validated(self, subscription: str, endpoint: str) -> bool:
        """Tell whether the endpoint has answered its handshake."""
        row = (subscription, endpoint)
        return (
            self._db.execute("SELECT 1 FROM validated WHERE subscription=? AND endpoint=?", row).fetchone() is not None
        )

    def set_validated(self, subscription: str, endpoint: str) -> None:
        """Keep that the endpoint has answered its handshake."""
        self._db.execute("INSERT OR REPLACE INTO validated VALUES (?, ?)", (subscription, endpoint))

    def close(self) -> None:
        """Close the database."""
        self._db.close()


class _transaction:
    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._db.execute("ROLLBACK" if kind else "COMMIT")
