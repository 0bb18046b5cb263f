"""A step's process sees what Azure's would, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest

from azureml_box.config import Config
from azureml_box.jobs import process


def config(home: Path) -> Config:
    return Config(home, "https://127.0.0.1:1", 1, "s", "rg", "ws", "id", "eastus", "t", "https://x", "a", "k", "s", {})


async def run(home: Path, command: str, timeout: float | None = None) -> int:
    (home / "code").mkdir(exist_ok=True)
    environment = process.environment(config(home), "run-1", "root-1", "exp", {"OWN": "1"})
    return await process.run(command, home / "code", home / "log.txt", environment, timeout)


def test_the_process_gets_azures_variables_and_none_of_the_emulators(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZUREML_BOX_STORAGE_KEY", "secret")
    assert asyncio.run(run(tmp_path, "echo $AZUREML_RUN_ID $AZUREML_ROOT_RUN_ID $OWN [$AZUREML_BOX_STORAGE_KEY]")) == 0
    assert (tmp_path / "log.txt").read_text() == "run-1 root-1 1 []\n"


def test_the_exit_code_and_the_last_line_of_the_log_come_back(tmp_path: Path) -> None:
    assert asyncio.run(run(tmp_path, "echo one; echo 'ValueError: no rows' >&2; exit 3")) == 3
    assert process.last_line(tmp_path / "log.txt") == "ValueError: no rows"
    assert process.last_line(tmp_path / "none.txt") == ""


def test_an_overdue_process_ends_with_its_children(tmp_path: Path) -> None:
    with pytest.raises(TimeoutError):
        asyncio.run(run(tmp_path, f"sleep 60 & echo $! > {tmp_path}/child; wait", 0.3))
    child = int((tmp_path / "child").read_text())
    time.sleep(0.1)
    status = Path(f"/proc/{child}/status")
    assert not status.exists() or "zombie" in status.read_text()


def test_only_the_runs_own_group_is_killed(tmp_path: Path) -> None:
    async def scene() -> tuple[int | None, int | None]:
        own = {**os.environ, "AZUREML_RUN_ID": "run-1"}
        alien = await asyncio.create_subprocess_exec("sleep", "60", start_new_session=True)
        left = await asyncio.create_subprocess_exec("sleep", "60", env=own, start_new_session=True)
        for number, started in enumerate((alien, left)):
            (tmp_path / str(number)).write_text(str(started.pid))
            process.kill_left(tmp_path / str(number), "run-1")
        ended = await asyncio.wait_for(left.wait(), 5)
        alive = alien.returncode
        alien.kill()
        await alien.wait()
        return alive, ended

    assert asyncio.run(scene()) == (None, -9)
    assert not (tmp_path / "0").exists()
