"""`droptune box fault` against the box's own Azure ML."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from click.testing import CliRunner
from storage_rig import _wait, storage_rig

from cli.main import main
from local.box.config import BoxConfig
from local.box.services import AZUREML, child_environment

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BoxConfig]:
    """The storage, the identity and the Azure ML of a box."""
    home = tmp_path_factory.mktemp("faults") / "box"
    (home / "registry").mkdir(parents=True)
    with storage_rig(home) as rig, (home / "azureml.log").open("wb") as log:
        environment = child_environment(rig.config, AZUREML)
        process = subprocess.Popen(AZUREML.command(rig.config, 0), env=environment, stdout=log, stderr=log)
        try:
            _wait(rig.config, AZUREML)
            yield rig.config
        finally:
            process.terminate()
            process.wait(10)


def fault(box: BoxConfig, *arguments: str) -> Any:
    ran = CliRunner().invoke(main, ["box", "fault", *arguments, "--home", str(box.home)])
    assert ran.exit_code == 0, ran.output
    return ran


def computes(box: BoxConfig) -> int:
    url = f"{box.url('azureml')}{box.workspace_scope}/computes?api-version=2024-10-01"
    headers = {"Authorization": f"Bearer {os.environ['MLFLOW_TRACKING_TOKEN']}"}
    return requests.get(url, headers=headers, timeout=10).status_code


def test_a_rule_breaks_calls_until_it_is_cleared(box: BoxConfig) -> None:
    assert computes(box) == 200
    added = json.loads(fault(box, "add", "--path", "computes", "--status", "503", "--times", "0", "--json").stdout)
    assert (computes(box), computes(box)) == (503, 503)
    shown = fault(box, "list").stdout
    assert f"{added['id']}" in shown
    assert "fired 2 of 2" in shown
    fault(box, "clear", added["id"])
    assert computes(box) == 200


def test_a_rule_by_name_is_seen_with_its_fields(box: BoxConfig) -> None:
    fault(box, "add", "throttled", "--retry-after", "date")
    found = json.loads(fault(box, "list", "--json").stdout)["faults"][0]
    assert (found["name"], found["status"], found["retry_after"]) == ("throttled", 429, "date")
    fault(box, "clear")
    assert json.loads(fault(box, "list", "--json").stdout) == {"faults": [], "fired": []}


def test_what_the_emulator_refuses_is_wrong_usage(box: BoxConfig) -> None:
    ran = CliRunner().invoke(main, ["box", "fault", "add", "--status", "200", "--home", str(box.home)])
    assert (ran.exit_code, "from 400 to 599" in ran.output) == (2, True)


def test_a_box_that_is_down_cannot_be_reached(box: BoxConfig, tmp_path: Path) -> None:
    values = json.loads((box.home / "box.json").read_text())
    (tmp_path / "ca").symlink_to(box.ca)
    (tmp_path / "box.json").write_text(json.dumps({**values, "ports": {**values["ports"], "azureml": 1}}))
    ran = CliRunner().invoke(main, ["box", "fault", "list", "--home", str(tmp_path)])
    assert (ran.exit_code, "does not answer" in ran.output) == (3, True)
