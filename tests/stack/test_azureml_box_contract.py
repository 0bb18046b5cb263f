"""Every route names its requests and operations as ARM does; bodies are held against the contract; operations show their states."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from azureml_box.alone.emulator import Emulator
from docs.emulator_operations import own

os.environ.setdefault("AZUREML_BOX_AZURITE", str(Path(__file__).parents[2] / "local/storage/node_modules"))
pytest_plugins = ["azureml_box.pytest_plugin"]
pytestmark = pytest.mark.stack

SIZE = {"vmSize": "Standard_DS3_v2", "scaleSettings": {"minNodeCount": 0, "maxNodeCount": 1}}
JOB = {"jobType": "Command", "command": "true", "environmentId": "x"}
CRON = {"triggerType": "Cron", "expression": "0 0 * * *", "startTime": "2099-01-01T00:00:00"}
# Path -> (api-version, body that makes it).
MADE: dict[str, tuple[str, dict[str, Any]]] = {
    "computes/c1": ("2024-10-01", {"location": "eastus", "properties": {"computeType": "AmlCompute", "properties": SIZE}}),
    "computes/ci": ("2024-10-01", {"location": "eastus", "properties": {"computeType": "ComputeInstance", "properties": {"vmSize": "Standard_DS3_v2"}}}),
    "onlineEndpoints/e-1": ("2023-04-01", {"location": "eastus", "properties": {"authMode": "Key"}, "tags": {"a": "b"}}),
    "schedules/s1": ("2024-10-01", {"properties": {"action": {"actionType": "CreateJob", "jobDefinition": JOB}, "trigger": CRON, "isEnabled": False}}),
}  # fmt: skip
KEPT: dict[str, tuple[str, dict[str, Any]]] = {
    "data/d/versions/1": ("2023-04-01", {"properties": {"dataType": "uri_file", "dataUri": "https://example.org/a"}}),
    "data/d": ("2023-04-01", {"properties": {"tags": {"a": "b"}, "dataType": "uri_file"}}),
    "environments/e/versions/1": ("2023-04-01", {"properties": {"image": "python"}}),
    "components/c/versions/1": ("2023-04-01", {"properties": {"componentSpec": {"type": "command", "command": "true"}}}),
    "datastores/d1": ("2024-10-01", {"properties": {"datastoreType": "AzureDataLakeGen1", "storeName": "s", "credentials": {"credentialsType": "None"}}}),
}  # fmt: skip

SKIP = "&skipValidation=true"


class Workspace:
    """Plain REST calls to one workspace."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator, self.control = emulator, emulator.control
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {os.environ['MLFLOW_TRACKING_TOKEN']}"

    def call(self, verb: str, path: str, version: str, body: Any = None, query: str = "") -> Any:
        url = path if path.startswith("/") else f"{self.emulator.scope}/{path}"
        return self.session.request(
            verb,
            f"{self.emulator.url}{url}?api-version={version}{query}{SKIP if verb == 'PUT' and 'datastores' in url else ''}",
            json=body,
            timeout=10,
        )

    def ended(self, answer: Any) -> str:
        """How the operation behind an answer ended; `Location` says the same."""
        assert answer.headers["Retry-After"] == "1"
        stops = time.monotonic() + 10
        while (found := self.session.get(answer.headers["Azure-AsyncOperation"], timeout=10)).json()["status"] == (
            "InProgress"
        ):
            assert self.session.get(answer.headers["Location"], timeout=10).status_code == 202
            assert time.monotonic() < stops
            time.sleep(0.02)
        assert self.session.get(answer.headers["Location"], timeout=10).status_code == 200
        return str(found.json()["status"])

    def state(self, path: str) -> str:
        answer = self.call("GET", path, MADE[path][0])
        return str(answer.json()["properties"]["provisioningState"]) if answer.ok else str(answer.status_code)


@pytest.fixture
def workspace(azureml_box_session: Emulator) -> Iterator[Workspace]:
    found = Workspace(azureml_box_session)
    found.control.reset()
    yield found
    found.control.reset("provisioning")


def test_every_route_names_its_requests_and_no_route_breaks(workspace: Workspace) -> None:
    scope, sent = workspace.emulator.scope, {"x-ms-client-request-id": "mine", "x-ms-correlation-request-id": "ours"}
    places = {"{WS}": scope, "{RG}": scope.rsplit("/providers", 1)[0] + "/providers/Microsoft.MachineLearningServices"}
    places["{SUB}"] = scope.split("/resourceGroups")[0] + "/providers/Microsoft.MachineLearningServices"
    places["{REG}"] = scope.replace("/workspaces/", "/registries/")
    for one in own():
        if one.path.startswith("/_emulator"):
            continue
        path = re.sub(r"\{[A-Z]+\}", lambda match: places[match[0]], one.path)
        path = re.sub(r"\{[^}]*\}", "none-1", path)
        answer = workspace.session.request(
            one.verb, f"{workspace.emulator.url}{path}?api-version=2023-04-01", json={}, headers=sent, timeout=10
        )
        told = [answer.headers.get(name) for name in ("x-ms-client-request-id", "x-ms-correlation-request-id")]
        assert (told, bool(answer.headers.get("x-ms-request-id"))) == (["mine", "ours"], True), one
        assert answer.status_code < 500 or answer.status_code == 501, (one, answer.text)


@pytest.mark.parametrize("path", [*MADE, *KEPT])
def test_what_the_emulator_answers_can_be_sent_back(workspace: Workspace, path: str) -> None:
    version, body = (MADE | KEPT)[path]
    assert workspace.call("PUT", path, version, body).status_code == 201
    shown = workspace.call("GET", path, version).json()
    again = workspace.call("PUT", path, version, shown)
    assert again.status_code == 200, again.text
    assert workspace.control.unsupported() == []


@pytest.mark.parametrize("path", [*MADE, *KEPT])
def test_unknown_fields_parameters_and_values_are_refused_by_name(workspace: Workspace, path: str) -> None:
    version, body = (MADE | KEPT)[path]
    strange = {**body, "properties": {**body["properties"], "colour": "red"}}
    answer = workspace.call("PUT", path, version, strange)
    assert (answer.status_code, "properties.colour" in answer.json()["error"]["message"]) == (501, True)
    answer = workspace.call("PUT", path, version, body, "&colour=red")
    assert (answer.status_code, "'colour'" in answer.json()["error"]["message"]) == (501, True)
    assert len(workspace.control.unsupported()) == 2
    for verb in ("GET", "DELETE"):
        assert workspace.call(verb, path, version).status_code in (404, 204, 405, 501)


@pytest.mark.parametrize(
    ("path", "change", "says"),
    [
        ("computes/c1", {"properties": {"computeType": "Abacus"}}, "computeType"),
        ("onlineEndpoints/e-1", {"properties": {"authMode": "Handshake"}}, "authMode"),
        ("onlineEndpoints/e-1", {"tags": {f"t{n}": "" for n in range(51)}}, "at most 50"),
        ("onlineEndpoints/e-1", {"tags": {"t": "v" * 257}}, "longer than 256"),
        ("data/d/versions/1", {"properties": {"dataType": "floppy"}}, "dataType"),
        ("data/d/versions/" + "1" * 31, {"properties": {"dataUri": "https://example.org/a"}}, "maximum length of 30"),
        ("environments/e/versions/1", {"properties": {"image": "x", "osType": "Plan9"}}, "osType"),
        ("environments/-e/versions/1", {"properties": {"image": "x"}}, "name '-e' is invalid"),
        ("schedules/s.1", {"properties": {}}, "name 's.1' is invalid"),
        ("jobs/j1", {"properties": {**JOB, "tags": {f"t{n}": "" for n in range(51)}}}, "at most 50"),
        ("jobs/j1", {"properties": {**JOB, "displayName": "d" * 257}}, "at most 256"),
    ],
)
def test_values_that_azure_does_not_take_are_user_errors(
    workspace: Workspace, path: str, change: dict[str, Any], says: str
) -> None:
    version = "2023-04-01" if path.split("/")[0] in ("data", "environments", "onlineEndpoints") else "2024-10-01"
    answer = workspace.call("PUT", path, version, change)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], says in error["message"]) == (400, "UserError", True), error


@pytest.mark.parametrize("path", MADE)
def test_every_operation_shows_its_state_waits_to_be_advanced_and_lets_no_other_in(
    workspace: Workspace, path: str
) -> None:
    version, body = MADE[path]
    kinds = {"computes": "computes", "onlineEndpoints": "endpoints", "schedules": "schedules"}
    kind = kinds[path.split("/")[0]]
    workspace.control.provision(**{kind: "manual"})
    for verb, state, after in (
        ("PUT", "Creating", "Succeeded"),
        ("PUT", "Updating", "Succeeded"),
        ("DELETE", "Deleting", "404"),
    ):
        answer = workspace.call(verb, path, version, body if verb == "PUT" else None)
        assert workspace.state(path) == state
        busy = workspace.call("PUT", path, version, body)
        assert (busy.status_code, state in busy.json()["error"]["message"]) == (409, True)
        assert workspace.control.advance(kind, path.split("/")[-1])
        assert (workspace.ended(answer), workspace.state(path)) == ("Succeeded", after)


def test_an_instance_that_is_stopped_and_started_shows_it(workspace: Workspace) -> None:
    version, body = MADE["computes/ci"]
    workspace.call("PUT", "computes/ci", version, body)
    workspace.control.provision(computes="manual:2")
    for verb, meanwhile, after in (("stop", "Stopping", "Stopped"), ("start", "Starting", "Running")):
        answer = workspace.call("POST", f"computes/ci/{verb}", version)
        shown = [workspace.call("GET", "computes/ci", version).json()["properties"]["properties"] for _ in range(2)]
        assert [one["state"] for one in shown] == [meanwhile] * 2
        assert workspace.ended(answer) == "Succeeded"
        assert workspace.call("GET", "computes/ci", version).json()["properties"]["properties"]["state"] == after


def test_an_endpoint_that_cannot_be_changed_keeps_serving_as_it_did(workspace: Workspace) -> None:
    version, body = MADE["onlineEndpoints/e-1"]
    workspace.call("PUT", "onlineEndpoints/e-1", version, body)
    workspace.control.add_fault(
        method="PUT", path="onlineEndpoints/*", kind="provisioning", code="OutOfQuota", message="no"
    )
    answer = workspace.call("PUT", "onlineEndpoints/e-1", version, {**body, "tags": {"a": "c"}})
    stops = time.monotonic() + 10
    while (state := workspace.state("onlineEndpoints/e-1")) != "Failed":
        assert (state, time.monotonic() < stops) == ("Updating", True)
    assert workspace.session.get(answer.headers["Location"], timeout=10).status_code == 400
    assert workspace.call("GET", "onlineEndpoints/e-1", version).json()["tags"] == {"a": "b"}


@pytest.mark.azureml_box("--loose")
def test_a_loose_emulator_counts_what_it_does_not_know_and_goes_on(azureml_box: Emulator) -> None:
    workspace = Workspace(azureml_box)
    version, body = MADE["onlineEndpoints/e-1"]
    strange = {**body, "properties": {**body["properties"], "colour": "red"}}
    assert workspace.call("PUT", "onlineEndpoints/e-1", "2031-01-01", strange, "&shade=dark").status_code == 201
    assert workspace.call("GET", "featuresets", version).status_code == 404
    assert workspace.call("PUT", "featuresets/f", version, {"properties": {"a": 1}}).json()["properties"] == {"a": 1}
    assert workspace.call("DELETE", "featuresets/f", version).status_code == 204
    counted = " ".join(one["call"] for one in workspace.control.unsupported())
    for told in ("properties.colour", "'shade'", "2031-01-01", "PUT", "GET", "DELETE"):
        assert told in counted
