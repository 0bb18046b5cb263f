"""A restore that is killed in the middle: at the next start the state is the one before, or the snapshot's, as a whole."""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from azureml_box.alone.azurite import Account
from azureml_box.alone.control import ControlError
from azureml_box.alone.emulator import Emulator
from azureml_box.store import Store
from tests.support.lone_emulator import ROOT, Session

os.environ.setdefault("AZUREML_BOX_AZURITE", str(ROOT / "local/storage/node_modules"))
pytest_plugins = ["azureml_box.pytest_plugin"]
pytestmark = pytest.mark.stack

BLOBS, FILES, FILLING = 60, 3000, 30_000
STATES = {
    "before": (["2", "1"], {b"changed"}, {"first", "second"}),
    "snapshot": (["1"], {b"kept"}, {"first"}),
}


class Story:
    """A workspace with a snapshot and changes since: documents, blobs and folders."""

    def __init__(self, box: Emulator, account: Account) -> None:
        from azure.storage.blob import BlobServiceClient

        self.box, self.session = box, Session(box)
        self.snapshots = box.home / "snapshots"
        store = self.ask("GET", "/datastores/workspaceblobstore")["properties"]
        service = BlobServiceClient(account.url, credential=account.key)
        self._blobs = service.get_container_client(store["containerName"])
        self._send(b"kept")
        self.ask("PUT", "/environments/plain/versions/1", {"properties": {"image": "example.org/i:1"}})
        self._run(
            "first", f"for n in $(seq {FILES}); do echo $n > $n; done"
        )  # so that copying its folder takes a while
        database = Store(box.home / "azureml.sqlite")  # so that taking the database does, too
        for number in range(FILLING):
            database.put("filling", str(number), {"n": number})
        database.close()
        box.control.snapshot("kept")
        self.ask("PUT", "/environments/plain/versions/2", {"properties": {"image": "example.org/i:2"}})
        self._send(b"changed")
        self._run("second", "true")

    def ask(self, verb: str, path: str, body: Any = None) -> Any:
        answer = self.session.ask(verb, f"{self.box.scope}{path}", body, **{"api-version": "2024-01-01-preview"})
        assert answer.ok, answer.text
        return answer.json()

    def _send(self, content: bytes) -> None:
        for number in range(BLOBS):
            self._blobs.upload_blob(f"{number:03}", content, overwrite=True)

    def _run(self, name: str, command: str) -> None:
        environment = f"{self.box.scope}/environments/plain/versions/1"
        properties = {"jobType": "Command", "command": command, "environmentId": environment}
        self.ask("PUT", f"/jobs/{name}", {"properties": properties})
        ends = time.monotonic() + 60
        while self.ask("GET", f"/jobs/{name}")["properties"]["status"] != "Completed":
            assert time.monotonic() < ends
            time.sleep(0.1)

    def state(self) -> str:
        """`before`, `snapshot`, or what it is in all its parts."""
        versions = [doc["name"] for doc in self.ask("GET", "/environments/plain/versions")["value"]]
        contents = {self._blobs.download_blob(f"{number:03}").readall() for number in range(BLOBS)}
        folders = {path.name for path in (self.box.home / "jobs").iterdir()}
        jobs = {doc["name"] for doc in self.ask("GET", "/jobs")["value"]}
        assert folders == jobs
        found = (versions, contents, folders)
        return next((name for name, state in STATES.items() if state == found), str(found))

    def killed_when(self, moment: Callable[[Path], bool]) -> None:
        """Restore, kill the emulator when the moment is seen in the folder of snapshots, and start it again."""
        restoring = threading.Thread(target=self._restore)
        restoring.start()
        ends = time.monotonic() + 30
        while not moment(self.snapshots):
            assert time.monotonic() < ends and restoring.is_alive(), "the moment was not seen"
        os.kill(self.box.pid, signal.SIGKILL)
        restoring.join(30)
        self.box.stop()
        self.box.start()

    def _restore(self) -> None:
        with suppress(OSError, ControlError):
            self.box.control.restore("kept")

    def left(self) -> list[str]:
        return sorted(path.name for path in self.snapshots.iterdir())


@pytest.fixture
def story(azureml_box: Emulator, azureml_box_storage: Account) -> Story:
    return Story(azureml_box, azureml_box_storage)


def test_before_it_has_begun_nothing_has_changed_and_after_that_it_is_finished(story: Story) -> None:
    assert story.state() == "before"
    story.killed_when(lambda place: any(place.glob(".*-*/jobs/first/code/1")))
    assert (story.state(), story.left()) == ("before", ["kept"])
    story.killed_when(lambda place: (place / ".restoring").exists())
    assert (story.state(), story.left()) == ("snapshot", ["kept"])


def test_with_its_folders_in_place_and_the_old_database_it_is_finished(story: Story) -> None:
    story.killed_when(lambda place: (place / ".restoring/was/jobs").exists())
    assert (story.state(), story.left()) == ("snapshot", ["kept"])


def test_what_a_kill_behind_the_database_leaves_is_finished_once_more(story: Story) -> None:
    story.box.control.restore("kept")
    story.box.stop()
    record = story.snapshots / ".restoring"
    (record / "was").mkdir(parents=True)
    (record / "snapshot").write_text("kept")
    story.box.start()
    assert (story.state(), story.left()) == ("snapshot", ["kept"])


def test_one_that_fails_leaves_the_folders_and_the_database_as_they_were(story: Story) -> None:
    database = story.snapshots / "kept/state.sqlite"
    shutil.copy(database, story.box.home / "good")
    other = Store(database)
    other.rows("ALTER TABLE fired ADD COLUMN unknown")
    other.close()
    with pytest.raises(ControlError, match=r"cannot be taken.*The state is as before"):
        story.box.control.restore("kept")
    versions, _, folders = STATES["before"]
    assert [doc["name"] for doc in story.ask("GET", "/environments/plain/versions")["value"]] == versions
    assert {path.name for path in (story.box.home / "jobs").iterdir()} == folders
    story._run("third", "true")  # and it works on
    shutil.copy(story.box.home / "good", database)
    story.box.control.restore("kept")
    assert (story.state(), story.left()) == ("snapshot", ["kept"])
