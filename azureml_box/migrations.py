"""The shape of the database, by version: an older one is brought up in one transaction, a newer one is refused."""

from __future__ import annotations

import sqlite3
from pathlib import Path

# What comes before the last part of a key: `scope|name|` of a version, `scope|` of its container, `endpoint/` of a deployment.
# The index is found only by the very same words.
PLACE = "rtrim(rtrim(key, '|'), replace(replace(key, '|', ''), '/', ''))"
# A container for all versions that were stored before containers were, in order of their first versions: with one min(),
# SQLite takes the other columns from its row.
_CONTAINERS = f"""
INSERT OR IGNORE INTO documents (kind, key, doc)
SELECT kind || '.containers', {PLACE}, json_object('name', json_extract(doc, '$._name'), 'properties', json('{{}}'),
  'systemData', json_extract(doc, '$.systemData'), '_implicit', json('true'),
  '_anonymous', json(iif(total(json_extract(doc, '$.properties.isAnonymous')) = count(*), 'true', 'false')))
FROM documents WHERE kind IN ('models', 'components', 'environments', 'data', 'codes')
GROUP BY kind, {PLACE} ORDER BY min(number)
"""

# Each entry leads from the version before it to its own. The first is what every emulator before versions has: 0 in
# `user_version`, with or without the table.
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        "CREATE TABLE IF NOT EXISTS documents (number INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, "
        "key TEXT NOT NULL, doc TEXT NOT NULL, UNIQUE (kind, key))",
        "CREATE INDEX IF NOT EXISTS documents_in_order ON documents (kind, number)",
    ),
    (
        "CREATE TABLE calls (number INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, method TEXT NOT NULL, "
        "path TEXT NOT NULL, query TEXT NOT NULL, status INTEGER, answered INTEGER, effect TEXT NOT NULL, "
        "milliseconds REAL NOT NULL, fault TEXT)",
        "CREATE TABLE faults (number INTEGER PRIMARY KEY AUTOINCREMENT, sent TEXT NOT NULL, seen INTEGER NOT NULL, "
        "fired INTEGER NOT NULL)",
        "CREATE TABLE fired (number INTEGER PRIMARY KEY AUTOINCREMENT, doc TEXT NOT NULL)",
    ),
    (f"CREATE INDEX documents_by_place ON documents (kind, {PLACE}, number)", _CONTAINERS),
)
VERSION = len(MIGRATIONS)


class NewerDatabaseError(Exception):
    """The database was written by a newer emulator than this."""


def migrate(database: sqlite3.Connection, path: Path) -> None:
    """Bring the database to this version; all steps or none.

    Raises:
        NewerDatabaseError: it is newer.
    """
    found = database.execute("PRAGMA user_version").fetchone()[0]
    if found > VERSION:
        raise NewerDatabaseError(
            f"{path} has version {found}, and this emulator knows {VERSION} at most. "
            "Use the azureml_box that wrote it, or another --home."
        )
    if found == VERSION:
        return
    database.execute("BEGIN IMMEDIATE")
    try:
        for statement in (statement for step in MIGRATIONS[found:] for statement in step):
            database.execute(statement)
        database.execute(f"PRAGMA user_version = {VERSION}")
    except BaseException:
        database.execute("ROLLBACK")
        raise
    database.execute("COMMIT")
