"""A step's process sees what Azure's would, leaves nothing behind, and can be taken up by another emulator."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from azureml_box import tree
from azureml_box.config import Config
from azureml_box.jobs import environment, process

# A grandchild in a session of its own, which does not listen to SIGTERM; one more that has no environment left.
DEAF = """
import os, signal, subprocess, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
    open(sys.argv[1], "w").write(str(os.getpid()))
    while True:
        signal.pause()
bare = subprocess.Popen(["/bin/sleep", "300"], env={})
open(sys.argv[2], "w").write(str(bare.pid))
bare.wait()
"""


def config(home: Path) -> Config:
    return Config(home, "https://127.0.0.1:1", 1, "s", "rg", "ws", "id", "eastus", "t", "https://x", "a", "k", "s", {})


async def run(home: Path, command: str, timeout: float | None = None) -> int:
    (home / "code").mkdir(exist_ok=True)
    own = environment.of_run(config(home), "run-1", "root-1", "exp", {"OWN": "1"})
    return await process.run(command, home, home / "log.txt", own, timeout)


def gone(pid: str) -> bool:
    status = Path(f"/proc/{pid.strip()}/status")
    return not status.exists() or "zombie" in status.read_text()


def wait_for(path: Path) -> str:
    stops = time.monotonic() + 10
    while not (path.exists() and path.read_text().strip()):
        assert time.monotonic() < stops
        time.sleep(0.02)
    return path.read_text()


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
    assert gone((tmp_path / "child").read_text())


def test_what_a_command_leaves_in_the_background_ends_with_it(tmp_path: Path) -> None:
    line = f"setsid sleep 60 & echo $! > {tmp_path}/daemon"
    assert asyncio.run(run(tmp_path, line)) == 0
    assert gone((tmp_path / "daemon").read_text())


def test_the_whole_tree_is_ended_even_what_is_deaf_or_in_another_session(tmp_path: Path) -> None:
    (tmp_path / "deaf.py").write_text(DEAF)
    own = {**os.environ, tree.MARK: str(tmp_path)}
    names = [str(tmp_path / "deaf"), str(tmp_path / "bare")]
    started = subprocess.Popen([sys.executable, str(tmp_path / "deaf.py"), *names], env=own, start_new_session=True)
    deaf, bare = wait_for(tmp_path / "deaf"), wait_for(tmp_path / "bare")
    tree.end(str(tmp_path), started.pid, grace=0.2)
    assert started.wait(5) == -9
    assert gone(deaf) and gone(bare)


def test_only_the_runs_own_processes_are_killed(tmp_path: Path) -> None:
    other = {**os.environ, tree.MARK: str(tmp_path / "other")}
    with subprocess.Popen(["sleep", "60"], env=other, start_new_session=True) as alien:
        (tmp_path / "pid").write_text(str(alien.pid))
        process.end_left(tmp_path)
        assert alien.poll() is None
        alien.kill()


def test_a_process_that_an_earlier_emulator_began_is_waited_for(tmp_path: Path) -> None:
    async def scene() -> int:
        # A cancelled task would end the process: this one is begun as if its emulator had died in the middle.
        began = asyncio.create_task(run(tmp_path, "sleep 0.5; exit 7"))
        await asyncio.to_thread(wait_for, tmp_path / "pid")
        code = await process.adopt(tmp_path, None)
        began.cancel()
        return code

    assert asyncio.run(scene()) == 7


def test_the_limit_of_a_process_that_is_taken_up_counts_from_its_own_beginning(tmp_path: Path) -> None:
    own = {**os.environ, tree.MARK: str(tmp_path)}
    with subprocess.Popen(["sleep", "60"], env=own, start_new_session=True) as started:
        (tmp_path / "pid").write_text(str(started.pid))
        time.sleep(0.3)
        with pytest.raises(TimeoutError):
            asyncio.run(process.adopt(tmp_path, 0.2))
        assert started.wait(5) == -15


def test_a_command_that_was_never_begun_is_told_from_one_that_was(tmp_path: Path) -> None:
    assert not process.began(tmp_path)
    asyncio.run(run(tmp_path, f"test -s {tmp_path}/pid"))
    assert process.began(tmp_path) and (tmp_path / "exit").read_text() == "0\n"


def test_a_process_that_is_gone_without_a_word_is_called_lost(tmp_path: Path) -> None:
    (tmp_path / "pid").write_text(str(os.getpid()))
    assert process.began(tmp_path)
    with pytest.raises(process.LostError, match="no exit code"):
        asyncio.run(process.adopt(tmp_path, None))
