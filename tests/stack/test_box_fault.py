"""`droptune box fault` against the box's own Azure ML."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from click.testing import CliRunner
from raw_tls import is_reset
from storage_rig import azure_ml_beside

from cli.main import main
from local.box.config import BoxConfig

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BoxConfig]:
    with azure_ml_beside(tmp_path_factory.mktemp("faults") / "box") as config:
        yield config


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


def blob(box: BoxConfig, method: str = "GET", data: bytes | None = None, wait: float = 10) -> requests.Response:
    token = requests.get(
        f"{os.environ['IDENTITY_ENDPOINT']}?api-version=2019-08-01&resource=https://storage.azure.com",
        headers={"X-IDENTITY-HEADER": os.environ["IDENTITY_HEADER"]},
        timeout=10,
    ).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}", "x-ms-version": "2023-11-03"}
    if method == "PUT":
        headers["x-ms-blob-type"] = "BlockBlob"
    return requests.request(method, f"{box.url('blob')}/datasets/x/y.jsonl", headers=headers, data=data, timeout=wait)


def storage_fault(box: BoxConfig, *arguments: str) -> None:
    fault(box, "add", "--on", "storage", "--path", "/*/datasets/**", *arguments)


def test_the_storage_breaks_before_the_effect_and_after_it(box: BoxConfig) -> None:
    storage_fault(box, "--method", "PUT", "--status", "503", "--retry-after", "seconds", "--retry-seconds", "3")
    refused = blob(box, "PUT", b"never")
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "3")
    assert (refused.headers["x-ms-error-code"], "<Code>ServerBusy</Code>" in refused.text) == ("ServerBusy", True)
    assert blob(box).status_code == 404
    storage_fault(box, "--method", "PUT", "--status", "500", "--when", "after")
    assert blob(box, "PUT", b"there").status_code == 500
    assert blob(box).content == b"there"
    # What was written is told to Event Grid, whatever its client heard.
    outbox = (box.home / "storage" / "outbox.ndjson").read_text().splitlines()
    assert [json.loads(line)["blob"] for line in outbox if '"x/y.jsonl"' in line] == ["x/y.jsonl"]
    fired = json.loads(fault(box, "list", "--json").stdout)["fired"]
    assert [one["fault"] for one in fired if one["fault"].startswith("s")] == ["s1", "s2"]
    fault(box, "clear")


def test_a_block_list_can_be_broken_and_the_blocks_not(box: BoxConfig) -> None:
    from azure.core.exceptions import HttpResponseError
    from azure.identity import DefaultAzureCredential
    from azure.storage.blob import BlobServiceClient

    service = BlobServiceClient(box.url("blob"), credential=DefaultAzureCredential(), retry_total=0)
    client = service.get_blob_client("datasets", "x/blocks.jsonl")
    client.stage_block("AAAA", b"half of it")
    storage_fault(box, "--query", "comp=blocklist", "--status", "500")
    with pytest.raises(HttpResponseError, match="InternalError"):
        client.commit_block_list(["AAAA"])
    assert not client.exists()
    client.commit_block_list(["AAAA"])
    assert client.download_blob().readall() == b"half of it"
    fault(box, "clear")


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("reset", "Connection reset|Remote end closed"),
        ("close", "Connection reset|Remote end closed|EOF"),
        ("half", "IncompleteRead"),
        ("half_reset", "IncompleteRead|Connection reset"),
        ("hang", "timed out"),
        ("half_hang", "timed out"),
    ],
)
def test_the_storages_wire_breaks_as_told(box: BoxConfig, kind: str, words: str) -> None:
    blob(box, "PUT", b"0123456789" * 1000)
    storage_fault(box, "--kind", kind)
    with pytest.raises(requests.RequestException, match=words):
        blob(box, wait=0.5)
    assert blob(box).content == b"0123456789" * 1000
    fault(box, "clear")


def test_a_reset_of_the_storage_is_a_tcp_reset(box: BoxConfig) -> None:
    storage_fault(box, "--kind", "reset")
    storage_fault(box, "--kind", "close")
    url = f"{box.url('blob')}/datasets/x"
    assert [is_reset(url, box.ca / "ca.pem") for _ in range(2)] == [True, False]


def test_a_storage_rule_is_checked_as_the_others_are(box: BoxConfig) -> None:
    for arguments in (["quota_exceeded"], ["--kind", "half", "--when", "before"], ["--probability", "2"]):
        ran = CliRunner().invoke(main, ["box", "fault", "add", "--on", "storage", *arguments, "--home", str(box.home)])
        assert ran.exit_code == 2, ran.output


def test_the_same_seed_breaks_the_same_calls_of_the_storage(box: BoxConfig) -> None:
    seen = []
    for _ in range(2):
        storage_fault(box, "--probability", "0.5", "--seed", "7", "--times", "0")
        seen.append([blob(box).status_code for _ in range(12)])
        fault(box, "clear")
    assert seen[0] == seen[1]
    assert {200, 503} == set(seen[0])


def test_strangers_cannot_break_the_storage(box: BoxConfig) -> None:
    url = f"https://127.0.0.1:{box.ports['blob']}/_emulator/faults"
    assert requests.get(url, headers={"Authorization": "Bearer guessed"}, timeout=5).status_code == 401


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
