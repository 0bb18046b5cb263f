"""The database over the years and over a kill: old ones are migrated, newer ones refused, calls and faults are kept."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from azureml_box.faults.book import FaultBook
from azureml_box.faults.calls import CallLog
from azureml_box.migrations import VERSION, NewerDatabaseError
from azureml_box.store import Store

OLD = Path(__file__).with_name("fixtures") / "database-1.sql"


def old(path: Path) -> Path:
    """A database as the emulator of November 2026 left it when it was killed while a job ran."""
    database = sqlite3.connect(path)
    database.executescript(OLD.read_text())
    database.close()
    return path


def test_an_old_database_is_brought_up_and_keeps_what_it_has(tmp_path: Path) -> None:
    store = Store(old(tmp_path / "s"))
    assert store.rows("PRAGMA user_version") == [(VERSION,)]
    assert [doc["name"] for doc in store.list("environments", "workspace|old|")] == ["1", "2"]
    assert [doc["properties"]["status"] for doc in store.list("jobs")] == ["Running"]
    kept = store.page("environments.containers", 9, below="workspace|")
    assert [(doc["name"], doc["_anonymous"], doc["systemData"]["createdAt"][:4]) for _, doc in kept] == [
        ("old", False, "2026"),
        ("other", False, "2026"),
    ]
    assert CallLog(store).begin("now", "GET", "/x", "").number == 1
    store.close()
    assert Store(tmp_path / "s").get("onlineEndpoints", "front") is not None


def test_a_migration_that_fails_changes_nothing(tmp_path: Path) -> None:
    database = sqlite3.connect(old(tmp_path / "s"))
    database.execute("CREATE TABLE fired (somebody_elses TEXT)")
    database.close()
    with pytest.raises(sqlite3.OperationalError, match="fired"):
        Store(tmp_path / "s")
    database = sqlite3.connect(tmp_path / "s")
    assert database.execute("PRAGMA user_version").fetchone() == (0,)
    assert database.execute("SELECT count(*) FROM sqlite_master WHERE name = 'calls'").fetchone() == (0,)


def test_a_newer_database_is_refused_in_words(tmp_path: Path) -> None:
    Store(tmp_path / "s").rows(f"PRAGMA user_version = {VERSION + 1}")
    with pytest.raises(NewerDatabaseError, match=f"version {VERSION + 1}, and this emulator knows {VERSION}"):
        Store(tmp_path / "s")


def test_rules_and_calls_go_on_after_a_kill(tmp_path: Path) -> None:
    store = Store(tmp_path / "s")
    book, log = FaultBook(store), CallLog(store)
    book.add({"method": "PUT", "path": "jobs/*", "every": 2, "times": 0})
    book.add({"path": "models/*", "probability": 0.5, "seed": 7, "times": 0})
    first = [book.take("PUT", "/jobs/a") is not None for _ in range(3)]
    dice = [book.take("GET", "/models/a") is not None for _ in range(20)]
    log.begin("2026-11-25T01:00:00", "PUT", "/jobs/a", "")
    again = Store(tmp_path / "s")  # the first is not closed, as after a kill
    book, log = FaultBook(again), CallLog(again)
    assert [rule["seen"] for rule in book.document()["faults"]] == [3, 20]
    assert first == [False, True, False]
    assert book.take("PUT", "/jobs/a") is not None
    whole = FaultBook(Store(tmp_path / "other"))
    whole.add({"path": "models/*", "probability": 0.5, "seed": 7, "times": 0})
    expected = [whole.take("GET", "/models/a") is not None for _ in range(40)]
    assert dice + [book.take("GET", "/models/a") is not None for _ in range(20)] == expected
    assert log.begin("2026-11-25T02:00:00", "GET", "/jobs/a", "").number == 2
    assert [call["number"] for call in log.document(since="2026-11-25T01:30:00")["calls"]] == [2]
    assert book.add({"path": "x"})["id"] == "f3"
