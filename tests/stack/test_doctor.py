"""`droptune doctor` against a box, well and with one thing broken at a time."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from box_client import Box
from click.testing import CliRunner
from storage_rig import exported

from cli.main import main
from local.box import control, faults
from shared.azure.roles import GRANTS, NOT_GIVEN

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    home = tmp_path_factory.mktemp("doctor") / "home"
    control.up(home)
    environment = control.environment(home)
    try:
        with exported(environment):
            yield Box(home, environment)
    finally:
        control.down(home)


def doctor(box: Box, seconds: float = 30) -> tuple[int, dict[str, dict[str, Any]]]:
    """The exit code, and the findings by place and name."""
    ran = CliRunner().invoke(main, ["doctor", "--json", f"--wait={seconds}", "--home", str(box.home)])
    found = json.loads(ran.stdout)
    assert found["ok"] == (not any(row["status"] == "wrong" for row in found["findings"]))
    return ran.exit_code, {f"{row['where']}/{row['name']}": row for row in found["findings"]}


def wrong(found: dict[str, dict[str, Any]]) -> dict[str, str]:
    return {name: row["mend"] for name, row in found.items() if row["status"] == "wrong"}


def test_a_sound_box_is_told_to_be_one_and_every_role_was_tried(box: Box) -> None:
    code, found = doctor(box)
    assert wrong(found) == {}
    assert code == 0
    tried = {name.removeprefix("app/role ") for name in found if name.startswith("app/role ")}
    assert tried == set(GRANTS) - {"clusters", "scoring"}
    assert "clusters" in NOT_GIVEN
    for name in ("app/queue", "app/containers", "app/clock", "app/quota", "here/events", "here/your storage"):
        assert found[name]["status"] == "ok", found[name]
    assert "retired on 2025-08-30" in found["app/base model"]["told"]
    assert found["app/base model"]["status"] == "warning"


def test_nothing_is_left_of_what_it_tried(box: Box) -> None:
    doctor(box)
    from shared.azure.blobs import Container

    assert Container("canary").list() == []
    assert Container("active").list("_problems/") == []


def test_it_tells_no_secret(box: Box) -> None:
    secrets = list(json.loads((box.home / "box.json").read_text())["secrets"].values())
    secrets += [box.environment["DROPTUNE_KEY"], box.environment["MLFLOW_TRACKING_TOKEN"].rsplit(".", 1)[-1]]
    ran = CliRunner().invoke(main, ["doctor", "--json", "--home", str(box.home)])
    assert len(ran.stdout) > 1000
    assert not [secret for secret in secrets if secret in ran.output]


@pytest.mark.parametrize(
    ("rule", "lacks"),
    [
        ({"path": "**/locations/**", "status": 403}, "app/role locations"),
        ({"path": "**/onlineEndpoints/*", "method": "DELETE", "status": 403}, "app/role endpoints"),
        ({"path": "**/jobs/*/cancel", "status": 403}, "app/role jobs"),
    ],
)
def test_a_role_that_is_missing_is_named(box: Box, rule: dict[str, Any], lacks: str) -> None:
    faults.add(box.home, "azureml", {**rule, "times": 0})
    try:
        code, found = doctor(box)
    finally:
        faults.clear(box.home, None)
    assert code == 1
    assert wrong(found) == {lacks: found[lacks]["mend"]}
    assert found[lacks]["mend"].startswith("droptune box")


def test_a_key_that_may_not_operate_is_told_how_a_new_one_is_made(box: Box) -> None:
    from cli import api

    made = box.command("keys", "make", "--scope", "read", "--home", str(box.home))
    api._session.cache_clear()
    with exported({**box.environment, "DROPTUNE_KEY": made.stdout.strip()}):
        code, found = doctor(box)
    api._session.cache_clear()
    assert (code, list(wrong(found))) == (1, ["here/key"])
    assert "droptune keys make" in found["here/key"]["mend"]


def test_functions_that_do_not_answer_are_told_of_and_the_rest_is_looked_at(box: Box) -> None:
    pid = control.status(box.home).as_json()["services"]["functions"]["pid"]
    os.kill(pid, signal.SIGSTOP)
    began = time.monotonic()
    try:
        code, found = doctor(box, 5)
    finally:
        os.kill(pid, signal.SIGCONT)
    assert code == 3
    assert found["here/function app"]["status"] == "wrong"
    assert found["here/your storage"]["status"] == "ok"
    assert "here/events" not in found
    assert time.monotonic() - began < 60


def test_events_that_do_not_arrive_are_told_of(box: Box) -> None:
    pid = control.status(box.home).as_json()["services"]["eventgrid"]["pid"]
    os.kill(pid, signal.SIGSTOP)
    try:
        code, found = doctor(box, 2)
    finally:
        os.kill(pid, signal.SIGCONT)
    assert code == 1
    assert "here/events" in wrong(found)


def test_without_a_box_and_an_environment_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DROPTUNE_URL", raising=False)
    ran = CliRunner().invoke(main, ["doctor", "--home", str(tmp_path)])
    assert ran.exit_code == 3
    assert "DROPTUNE_URL" in ran.stderr
