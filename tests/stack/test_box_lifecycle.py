"""The whole box: up, a service that dies, a supervisor that is killed, down."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from local.box import control, leftovers, state

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    made = tmp_path_factory.mktemp("whole") / "box"
    try:
        yield made
    finally:
        control.reset(made)


def until(condition: Callable[[], Any], within: float) -> None:
    end = time.monotonic() + within
    while not condition():
        assert time.monotonic() < end, "not in time"
        time.sleep(0.05)


def test_up_returns_when_all_services_are_ready(home: Path) -> None:
    told: list[str] = []
    found = control.up(home, settings={"DROPTUNE_SETTLE": "2s"}, on_progress=lambda service, _: told.append(service))
    assert found.healthy
    assert set(found.as_json()["services"]) == {"storage", "identity", "azureml", "eventgrid", "functions"}
    assert set(told) == set(control.SERVICES)


def test_up_again_changes_nothing(home: Path) -> None:
    before = control.status(home).as_json()["services"]["azureml"]["pid"]
    assert control.up(home).as_json()["services"]["azureml"]["pid"] == before


def test_secrets_are_in_no_command_line(home: Path) -> None:
    secret_texts = control.config.load(home).secrets.values()
    lines = [" ".join(process.cmdline()) for process in leftovers.find(home)]
    assert lines
    assert not any(secret in line for secret in secret_texts for line in lines)


def test_everything_listens_on_this_machine_only(home: Path) -> None:
    for process in leftovers.find(home):
        listening = [one for one in process.net_connections() if one.status == psutil.CONN_LISTEN]
        assert all(one.laddr.ip == "127.0.0.1" for one in listening)


@pytest.mark.parametrize("service", ["identity", "azureml"])
def test_a_service_that_dies_is_started_again(home: Path, service: str) -> None:
    before = control.status(home).as_json()["services"][service]["pid"]
    os.kill(before, signal.SIGKILL)

    def other() -> bool:
        now = control.status(home).as_json()["services"][service]
        return bool(now["healthy"] and now["pid"] not in (None, before))

    until(other, 10)


def test_nothing_is_left_after_a_killed_supervisor_and_down(home: Path) -> None:
    known = state.read(home)
    assert known is not None
    os.kill(known.supervisor, signal.SIGKILL)
    until(lambda: not state.is_running(home), 5)
    control.down(home)
    assert leftovers.find(home) == []
    assert not control.status(home).healthy


def test_the_next_up_keeps_ports_ids_and_settings(home: Path) -> None:
    before = control.config.load(home)
    assert control.up(home).healthy
    after = control.config.load(home)
    assert (after.ports, after.secrets, after.settings) == (before.ports, before.secrets, {"DROPTUNE_SETTLE": "2s"})


def test_down_leaves_no_process_and_keeps_the_data(home: Path) -> None:
    control.down(home)
    assert leftovers.find(home) == []
    assert (home / "storage" / "blob.json").is_file()
