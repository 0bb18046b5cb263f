"""Faults, time, the log of calls and the reset of a real emulator, over HTTPS as a client sees them."""

from __future__ import annotations

import email.utils
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from raw_tls import is_reset

from azureml_box.alone.control import Control, ControlError
from azureml_box.alone.emulator import Emulator

os.environ.setdefault("AZUREML_BOX_AZURITE", str(Path(__file__).parents[2] / "local/storage/node_modules"))
pytest_plugins = ["azureml_box.pytest_plugin"]
pytestmark = pytest.mark.stack

VERSION = "api-version=2024-10-01"
ENDPOINTS = "api-version=2023-04-01"


class Workspace:
    """Plain REST calls to one workspace: no retries, no SDK."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator, self.control = emulator, emulator.control
        self.base = emulator.scope
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {os.environ['MLFLOW_TRACKING_TOKEN']}"

    def call(self, method: str, path: str, body: Any = None, version: str = VERSION, wait: float = 10) -> Any:
        url = f"{self.emulator.url}{self.base}{path}?{version}"
        return self.session.request(method, url, json=body, timeout=wait)

    def put_compute(self, name: str) -> Any:
        size = {"vmSize": "Standard_DS3_v2", "scaleSettings": {"minNodeCount": 0, "maxNodeCount": 1}}
        body = {"location": "eastus", "properties": {"computeType": "AmlCompute", "properties": size}}
        return self.call("PUT", f"/computes/{name}", body)

    def state(self, name: str) -> str:
        return str(self.call("GET", f"/computes/{name}").json()["properties"]["provisioningState"])

    def ended(self, answer: Any) -> dict[str, Any]:
        """The operation behind an answer, once it has ended."""
        for _ in range(200):
            found = self.session.get(answer.headers["Azure-AsyncOperation"], timeout=10).json()
            if found["status"] != "InProgress":
                return dict(found)
            time.sleep(0.05)
        raise AssertionError("the operation does not end")


@pytest.fixture
def workspace(azureml_box_session: Emulator) -> Iterator[Workspace]:
    found = Workspace(azureml_box_session)
    found.control.reset("faults", "calls", "provisioning", "unsupported")
    yield found
    found.control.reset("faults", "provisioning")


def test_the_nth_call_is_answered_with_azures_envelope_as_often_as_told(workspace: Workspace) -> None:
    rule = workspace.control.add_fault(method="GET", path="/**/computes", nth=2, times=2, status=503)
    answers = [workspace.call("GET", "/computes") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 503, 503, 200]
    assert answers[1].json()["error"]["code"] == "ServiceUnavailable"
    assert answers[1].headers["x-ms-request-id"]
    shown = workspace.control.faults()
    assert (shown["faults"][0]["seen"], shown["faults"][0]["fired"]) == (4, 2)
    assert [one["fault"] for one in shown["fired"]] == [rule["id"]] * 2


def test_a_fault_comes_before_the_effect_or_after_it(workspace: Workspace) -> None:
    workspace.control.add_fault(method="PUT", path="computes/before", status=500)
    workspace.control.add_fault(method="PUT", path="computes/after", status=500, when="after")
    assert [workspace.put_compute(name).status_code for name in ("before", "after")] == [500, 500]
    assert [workspace.call("GET", f"/computes/{name}").status_code for name in ("before", "after")] == [404, 200]
    calls = [call for call in workspace.control.calls(method="PUT") if "/computes/" in call["path"]]
    assert [(call["status"], call["answered"], call["effect"]) for call in calls] == [
        (None, 500, "none"),
        (201, 500, "created"),
    ]


def test_retry_after_comes_in_each_of_its_forms(workspace: Workspace) -> None:
    for form in ("seconds", "date", "ms", "none"):
        workspace.control.add_fault(path="computes", status=429, retry_after=form, retry_seconds=7)
    heads = [workspace.call("GET", "/computes").headers for _ in range(4)]
    assert heads[0]["retry-after"] == "7"
    moment = email.utils.parsedate_to_datetime(heads[1]["retry-after"]).timestamp()
    assert 4 < moment - time.time() < 9
    assert (heads[2]["retry-after-ms"], heads[2]["x-ms-retry-after-ms"]) == ("7000", "7000")
    assert not [name for name in heads[3] if "retry" in name.lower()]


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        # Python 3.11 tells a reset below TLS as an end (cpython 115627); the next test looks below.
        ("reset", "Connection reset|Remote end closed"),
        ("close", "Remote end closed|EOF occurred"),
        ("half", "IncompleteRead"),
        ("half_reset", "IncompleteRead|Connection reset"),
        ("hang", "timed out"),
        ("half_hang", "timed out"),
    ],
)
def test_the_wire_breaks_as_told(workspace: Workspace, kind: str, words: str) -> None:
    workspace.control.add_fault(path="computes", kind=kind)
    with pytest.raises(requests.RequestException, match=words):
        workspace.call("GET", "/computes", wait=0.5)
    assert workspace.control.faults()["fired"][0]["kind"] == kind
    assert workspace.call("GET", "/computes").status_code == 200


def test_an_answer_without_a_body_cannot_be_halved_and_is_not_sent(workspace: Workspace) -> None:
    workspace.control.add_fault(method="HEAD", path="/discovery", kind="half")
    with pytest.raises(requests.ConnectionError):
        requests.head(f"{workspace.emulator.url}/discovery", timeout=5)
    assert [call["answered"] for call in workspace.control.calls(method="HEAD")] == [None]


def test_a_reset_is_a_tcp_reset(workspace: Workspace) -> None:
    workspace.control.add_fault(path="/discovery", kind="reset")
    workspace.control.add_fault(path="/discovery", kind="close")
    url = f"{workspace.emulator.url}/discovery"
    assert is_reset(url, workspace.emulator.authority)
    assert not is_reset(url, workspace.emulator.authority)


def test_a_gateways_page_and_a_body_that_is_no_json_are_sent(workspace: Workspace) -> None:
    workspace.control.add_fault(path="computes", kind="html", status=502)
    workspace.control.add_fault(path="computes", kind="garbage")
    page, garbage = workspace.call("GET", "/computes"), workspace.call("GET", "/computes")
    assert (page.status_code, page.headers["content-type"]) == (502, "text/html")
    assert garbage.status_code == 200
    with pytest.raises(ValueError, match=r"Expecting value|decode"):
        garbage.json()


@pytest.mark.parametrize("when", ["before", "after"])
def test_the_true_answer_may_come_late(workspace: Workspace, when: str) -> None:
    workspace.control.add_fault(path="computes", kind="delay", delay=0.4, when=when)
    began = time.monotonic()
    assert workspace.call("GET", "/computes").json()["value"] is not None
    assert time.monotonic() - began >= 0.4


def test_the_emulators_health_and_its_control_are_spared(workspace: Workspace) -> None:
    workspace.control.add_fault(path="/**", kind="reset", times=0)
    assert requests.get(f"{workspace.emulator.url}/healthz", timeout=5).status_code == 200
    workspace.control.clear_faults()
    assert workspace.call("GET", "/computes").status_code == 200


def test_a_rule_that_makes_no_sense_is_refused_in_words(workspace: Workspace) -> None:
    for fields, words in (
        ({"colour": "red"}, "no field 'colour'"),
        ({"status": 200}, "from 400 to 599"),
        ({"name": "flood"}, "Known: .*capacity_gone"),
        ({"nth": 1, "every": 2}, "not both"),
        ({"kind": "half", "when": "before"}, "the call comes first"),
        ({"kind": "provisioning"}, "needs the code"),
    ):
        with pytest.raises(ControlError, match=words):
            workspace.control.add_fault(**fields)
    assert workspace.control.faults()["faults"] == []


def test_a_deployment_without_capacity_or_image_fails_as_in_azure(workspace: Workspace) -> None:
    one, names = (
        "/onlineEndpoints/faulty",
        {"capacity_gone": "OutOfCapacity", "image_build_failed": "ImageBuildFailure"},
    )
    endpoint = {"location": "eastus", "properties": {"authMode": "Key"}}
    assert workspace.call("PUT", one, endpoint, ENDPOINTS).status_code == 201
    properties = {"endpointComputeType": "Managed", "instanceType": "Standard_DS3_v2", "model": "azureml:m:1"}
    body = {"location": "eastus", "sku": {"name": "Default", "capacity": 1}, "properties": properties}
    for name, code in names.items():
        workspace.control.add_fault(name=name)
        path = f"{one}/deployments/{name.replace('_', '-')}"
        ended = workspace.ended(workspace.call("PUT", path, body, ENDPOINTS))
        assert (ended["status"], ended["error"]["code"]) == ("Failed", code)
        assert workspace.call("GET", path, version=ENDPOINTS).json()["properties"]["provisioningState"] == "Failed"
    workspace.control.add_fault(name="quota_exceeded")
    refused = workspace.call("PUT", f"{one}/deployments/third", body, ENDPOINTS)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "OutOfQuota")


def test_a_job_whose_image_cannot_be_built_never_starts(workspace: Workspace) -> None:
    workspace.control.add_fault(name="job_image_build_failed")
    properties = {"jobType": "Command", "command": "true", "environmentId": "azureml:plain:1"}
    assert workspace.call("PUT", "/jobs/unbuilt", {"properties": properties}).status_code == 201
    until = time.monotonic() + 10
    while (found := workspace.call("GET", "/jobs/unbuilt").json()["properties"])["status"] != "Failed":
        assert time.monotonic() < until, found["status"]
        time.sleep(0.05)
    details = f"{workspace.emulator.url}/history/v1.0{workspace.base}/runs/unbuilt/details"
    assert "ImageBuildFailure" in workspace.session.get(details, timeout=5).json()["error"]["error"]["message"]
    assert found.get("startTimeUtc") is None


def test_a_compute_waits_until_it_is_advanced(workspace: Workspace) -> None:
    workspace.control.provision(computes="manual")
    answer = workspace.put_compute("waits")
    assert (answer.status_code, workspace.state("waits")) == (201, "Creating")
    assert workspace.control.advance("computes", "waits") == [{"kind": "computes", "name": "waits"}]
    assert workspace.ended(answer)["status"] == "Succeeded"
    assert workspace.state("waits") == "Succeeded"


def test_a_compute_goes_on_when_it_was_read_often_enough(workspace: Workspace) -> None:
    workspace.control.provision(computes="manual:3")
    workspace.put_compute("read")
    states = [workspace.state("read") for _ in range(3)]
    assert states == ["Creating"] * 3
    time.sleep(0.1)
    assert workspace.state("read") == "Succeeded"


def test_azures_own_durations_are_scaled(workspace: Workspace) -> None:
    workspace.control.provision(computes="timed", timeScale=0.02)
    began = time.monotonic()
    assert workspace.ended(workspace.put_compute("timed"))["status"] == "Succeeded"
    assert 0.3 <= time.monotonic() - began < 3


def test_only_the_control_token_steers_and_any_token_reads(workspace: Workspace) -> None:
    url = f"{workspace.emulator.url}/_emulator/faults"
    assert workspace.session.get(url, timeout=5).status_code == 200
    assert workspace.session.post(url, json={}, timeout=5).status_code == 401
    assert requests.get(url, timeout=5).status_code == 401
    stranger = Control(workspace.emulator.url, "guessed", workspace.emulator.authority)
    with pytest.raises(ControlError, match="own bearer token"):
        stranger.reset()


def test_what_nobody_implements_is_counted(workspace: Workspace) -> None:
    assert workspace.call("GET", "/featurestoreEntities").status_code == 501
    found = workspace.control.unsupported()
    assert [(one["call"].rsplit("/", 1)[1], one["count"]) for one in found] == [("featurestoreEntities", 1)]


def test_a_reset_empties_the_workspace_and_gives_it_a_new_id(azureml_box: Emulator) -> None:
    workspace = Workspace(azureml_box)
    workspace.put_compute("gone")
    before = workspace.call("GET", "").json()["properties"]["workspaceId"]
    workspace.control.reset()
    assert workspace.call("GET", "/computes").json()["value"] == []
    names = [one["name"] for one in workspace.call("GET", "/datastores").json()["value"]]
    assert "workspaceblobstore" in names
    after = workspace.call("GET", "").json()["properties"]["workspaceId"]
    assert after != before
    azureml_box.stop()
    azureml_box.start()
    assert workspace.call("GET", "").json()["properties"]["workspaceId"] == after


@pytest.mark.azureml_box("--loose")
def test_a_loose_emulator_takes_versions_that_it_does_not_know(azureml_box: Emulator) -> None:
    assert Workspace(azureml_box).call("GET", "/computes", version="api-version=2031-01-01").status_code == 200


def test_a_deployment_waits_too_and_what_a_restart_finds_unfinished_has_failed(azureml_box: Emulator) -> None:
    workspace = Workspace(azureml_box)
    workspace.control.provision(deployments="manual", computes="manual")
    endpoint = {"location": "eastus", "properties": {"authMode": "Key"}}
    workspace.call("PUT", "/onlineEndpoints/waits", endpoint, ENDPOINTS)
    properties = {"endpointComputeType": "Managed", "instanceType": "Standard_DS3_v2", "model": "azureml:absent:1"}
    body = {"location": "eastus", "sku": {"name": "Default", "capacity": 1}, "properties": properties}
    path = "/onlineEndpoints/waits/deployments/one"
    answer = workspace.call("PUT", path, body, ENDPOINTS)
    workspace.put_compute("unfinished")
    assert workspace.call("GET", path, version=ENDPOINTS).json()["properties"]["provisioningState"] == "Creating"
    assert workspace.control.advance("deployments") == [{"kind": "deployments", "name": "waits/one"}]
    assert "absent" in workspace.ended(answer)["error"]["message"]
    azureml_box.stop()
    azureml_box.start()
    assert workspace.state("unfinished") == "Failed"


def test_a_reset_ends_the_jobs_that_run(azureml_box: Emulator, tmp_path: Path) -> None:
    workspace = Workspace(azureml_box)
    properties = {
        "jobType": "Command",
        "command": f"echo $$ > {tmp_path}/pid; sleep 60",
        "environmentId": "azureml:plain:1",
        "experimentName": "resets",
    }
    assert workspace.call("PUT", "/jobs/sleeper", {"properties": properties}).status_code == 201
    until = time.monotonic() + 20
    while not (tmp_path / "pid").exists() and time.monotonic() < until:
        time.sleep(0.05)
    number = int((tmp_path / "pid").read_text())
    workspace.control.reset()
    assert workspace.call("GET", "/jobs/sleeper").status_code == 404
    status = Path(f"/proc/{number}/status")
    assert not status.exists() or "zombie" in status.read_text()


def test_the_unmodified_sdk_gets_over_what_azure_may_do_and_tells_what_it_cannot(azureml_box: Emulator) -> None:
    from azure.ai.ml.entities import AmlCompute
    from azure.core.exceptions import HttpResponseError

    client, control = azureml_box.client(), azureml_box.control
    cluster = AmlCompute(name="cluster", size="Standard_DS3_v2", max_instances=1)
    control.add_fault(method="GET", path="/operations/*", status=500)
    control.add_fault(method="PUT", path="computes/*", kind="reset", when="after")
    client.compute.begin_create_or_update(cluster).result()
    puts = [(call["fault"], call["effect"]) for call in control.calls(method="PUT", path="/computes/")]
    assert puts == [("f2", "created"), (None, "changed")]  # a client's own retry repeats what had happened
    control.add_fault(name="compute_capacity_gone")
    with pytest.raises(HttpResponseError, match="not enough capacity") as told:
        client.compute.begin_create_or_update(AmlCompute(name="other", size="Standard_DS3_v2")).result()
    assert told.value.error is not None
    assert told.value.error.code == "OutOfCapacity"
    assert client.compute.get("other").provisioning_state == "Failed"
