"""Online endpoints through the unmodified SDK: a real emulator, real inference processes, real HTTPS."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import shutil
import signal
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import aiohttp
import pytest
import requests

pytestmark = pytest.mark.stack

PYFUNC = """
import os, sys, time

class Echo:
    def predict(self, input_data, params=None):
        text = input_data["input_string"][0][-1]["content"]
        if text == "fail":
            raise ValueError("as asked")
        if text == "die":
            os._exit(3)
        time.sleep(float(text) if text.replace(".", "").isdigit() else 0)
        if text == "path":
            text = ",".join(name for name in ("local", "shared", "azureml_box") if any(
                os.path.isdir(os.path.join(place, name)) for place in sys.path))
        return [{"0": text, "pid": os.getpid(), "version": os.environ.get("VERSION", "")}]

def _load_pyfunc(path):
    if not os.path.isdir(path):
        raise OSError("no data at " + path)
    return Echo()
"""
MLMODEL = "flavors:\n  python_function:\n    loader_module: echo_model\n    code: code\n    data: data\n"
BROKEN = "flavors:\n  python_function:\n    loader_module: not_there\n    code: code\n    data: data\n"
SIZE = "Standard_DS3_v2"


def _assets_tests() -> ModuleType:
    """The rig of the neighbour module: one way to start Azurite and the emulator."""
    path = Path(__file__).with_name("test_azureml_box_assets.py")
    spec = importlib.util.spec_from_file_location("azureml_box_rig", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["azureml_box_rig"] = module
    spec.loader.exec_module(module)
    return module


RIG = _assets_tests()


def _model(folder: Path, name: str, mlmodel: str) -> None:
    files = folder / "models" / name / "files"
    for part in ("code", "data"):
        (files / part).mkdir(parents=True)
    (folder / "models" / name / "spec.yaml").write_text(
        f"name: {name}\nversion: '1'\ntype: mlflow_model\npath: files\n"
    )
    (files / "MLmodel").write_text(mlmodel)
    (files / "code/echo_model.py").write_text(PYFUNC)
    (files / "data/weights.txt").write_text("1\n")


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    rig = RIG.Rig(tmp_path_factory.mktemp("serving"))
    _model(rig.registry, "mirror", MLMODEL)
    _model(rig.registry, "broken", BROKEN)
    rig.start_storage()
    rig.start_emulator()
    yield rig
    for name in list(rig.processes):
        rig.stop(name)
    shutil.rmtree(rig.home / "storage", ignore_errors=True)


@pytest.fixture(scope="module")
def client(rig: Any) -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in rig.environment.items():
            patch.setenv(name, value)
        patch.setenv("ARM_CLOUD_METADATA_URL", f"{rig.url}/metadata/endpoints?api-version=2019-05-01")
        patch.setenv("REGISTRY_DISCOVERY_ENDPOINT_URL", f"{rig.url}/")
        patch.setenv("AZUREML_CURRENT_CLOUD", "AzureMLBox")
        from azure.ai.ml import MLClient

        yield MLClient(RIG.Signed(rig), RIG.SUBSCRIPTION, "box", "box")


def _deployment(endpoint: str, name: str, model: str = "mirror", **more: Any) -> Any:
    from azure.ai.ml.entities import ManagedOnlineDeployment, OnlineRequestSettings

    return ManagedOnlineDeployment(
        name=name,
        endpoint_name=endpoint,
        model=f"azureml://registries/azureml/models/{model}/versions/1",
        instance_type=SIZE,
        instance_count=1,
        request_settings=OnlineRequestSettings(request_timeout_ms=2000, max_concurrent_requests_per_instance=4),
        **more,
    )


@pytest.fixture(scope="module")
def live(client: Any) -> str:
    """An endpoint with one deployment that takes all traffic."""
    from azure.ai.ml.entities import ManagedOnlineEndpoint

    endpoint = ManagedOnlineEndpoint(name="chat", auth_mode="key", tags={"droptune": "chat"})
    client.online_endpoints.begin_create_or_update(endpoint).result()
    client.online_deployments.begin_create_or_update(_deployment("chat", "blue", tags={"run": "r1"})).result()
    _route(client, {"blue": 100})
    return "chat"


def _route(client: Any, traffic: dict[str, int]) -> None:
    endpoint = client.online_endpoints.get("chat")
    endpoint.traffic = traffic
    client.online_endpoints.begin_create_or_update(endpoint).result()


@pytest.fixture
def ask(rig: Any, client: Any, live: str) -> Callable[..., requests.Response]:
    key = client.online_endpoints.get_keys(live).primary_key

    def post(text: str, key: str = key, raw: bytes | None = None, **headers: str) -> requests.Response:
        body = json.dumps({"input_data": {"input_string": [[{"role": "user", "content": text}]]}, "params": {}})
        sent = {"Authorization": f"Bearer {key}", **{name.replace("_", "-"): value for name, value in headers.items()}}
        url, ca = f"{rig.url}/endpoints/{live}/score", str(rig.home / "ca/bundle.pem")
        return requests.post(url, raw or body.encode(), headers=sent, timeout=20, verify=ca)

    return post


def test_the_sdk_makes_an_endpoint_and_a_deployment_that_answers(client: Any, live: str, tmp_path: Path) -> None:
    endpoint = client.online_endpoints.get(live)
    assert (endpoint.provisioning_state, endpoint.traffic, endpoint.tags) == (
        "Succeeded",
        {"blue": 100},
        {"droptune": "chat"},
    )
    assert endpoint.identity.principal_id
    made = client.online_deployments.get("blue", live)
    assert (made.provisioning_state, made.tags, made.instance_count) == ("Succeeded", {"run": "r1"}, 1)
    assert [one.name for one in client.online_deployments.list(live)] == ["blue"]
    assert live in [one.name for one in client.online_endpoints.list()]
    request = tmp_path / "request.json"
    request.write_text(json.dumps({"input_data": {"input_string": [[{"role": "user", "content": "hello"}]]}}))
    assert json.loads(client.online_endpoints.invoke(live, request_file=str(request)))[0]["0"] == "hello"
    assert "the model is loaded" in client.online_deployments.get_logs("blue", live, lines=50)


def test_an_answer_names_its_request_and_its_deployment(ask: Callable[..., requests.Response]) -> None:
    answer = ask("hi", x_ms_client_request_id="my id/7")
    assert answer.status_code == 200
    assert answer.headers["azureml-model-deployment"] == "blue"
    assert answer.headers["x-ms-client-request-id"] == "myid7"
    assert len(answer.headers["x-request-id"]) == 36


def test_the_model_finds_its_own_code_and_nothing_of_ours(ask: Callable[..., requests.Response]) -> None:
    assert ask("path").json()[0]["0"] == ""


def test_a_wrong_key_and_an_unknown_deployment_are_refused(ask: Callable[..., requests.Response]) -> None:
    assert ask("hi", key="wrong").status_code == 401
    assert ask("hi", azureml_model_deployment="nobody").status_code == 404


def test_failures_of_the_container_are_424_with_its_own_status(ask: Callable[..., requests.Response]) -> None:
    failed = ask("fail")
    assert (failed.status_code, failed.headers["ms-azureml-model-error-statuscode"]) == (424, "500")
    assert "unexpected error" in failed.json()["message"]
    broken = ask("", raw=b"{no json")
    assert (broken.status_code, broken.headers["ms-azureml-model-error-statuscode"]) == (424, "400")


def test_a_model_that_takes_too_long_is_408(ask: Callable[..., requests.Response]) -> None:
    assert ask("3").status_code == 408


async def _flood(url: str, ca: str, key: str, count: int) -> list[tuple[int, str | None]]:
    """Many requests at once over one TLS context: 100 clients of their own would arrive too slowly."""
    context = ssl.create_default_context(cafile=ca)
    body = {"input_data": {"input_string": [[{"role": "user", "content": "1.5"}]]}}
    connector, limit = aiohttp.TCPConnector(ssl=context, limit=0), aiohttp.ClientTimeout(total=60)
    async with aiohttp.ClientSession(connector=connector, timeout=limit) as session:

        async def one() -> tuple[int, str | None]:
            async with session.post(url, json=body, headers={"Authorization": f"Bearer {key}"}) as answer:
                return answer.status, answer.headers.get("Retry-After")

        return list(await asyncio.gather(*(one() for _ in range(count))))


def test_more_than_64_waiting_requests_are_429(rig: Any, client: Any, live: str) -> None:
    key = client.online_endpoints.get_keys(live).primary_key
    url, ca = f"{rig.url}/endpoints/{live}/score", str(rig.home / "ca/bundle.pem")
    answers = asyncio.run(_flood(url, ca, key, 100))
    refused = [retry for status, retry in answers if status == 429]
    assert refused
    assert set(refused) == {"1"}
    assert {status for status, _ in answers} <= {200, 408, 429}
    time.sleep(2)  # what timed out meanwhile still occupies the model's threads


def test_a_dead_server_is_started_again(ask: Callable[..., requests.Response]) -> None:
    assert ask("die").status_code == 424
    deadline = time.monotonic() + 30
    while (answer := ask("alive")).status_code != 200:
        assert time.monotonic() < deadline, answer.text
        time.sleep(0.1)


def test_traffic_must_name_existing_deployments_and_sum_to_100(client: Any, live: str) -> None:
    from azure.core.exceptions import HttpResponseError

    for traffic in ({"nobody": 100}, {"blue": 60}):
        with pytest.raises(HttpResponseError) as refused:
            _route(client, traffic)
        assert refused.value.status_code == 400


def test_a_model_that_does_not_load_fails_with_the_logs_last_words(client: Any, live: str) -> None:
    from azure.core.exceptions import HttpResponseError

    with pytest.raises(HttpResponseError, match="not_there") as failed:
        client.online_deployments.begin_create_or_update(_deployment(live, "bad", "broken")).result()
    assert "ResourceNotReady" in str(failed.value)
    assert client.online_deployments.get("bad", live).provisioning_state == "Failed"
    client.online_deployments.begin_delete("bad", live).result()


def test_an_update_replaces_the_server_without_a_refused_request(
    client: Any, live: str, ask: Callable[..., requests.Response]
) -> None:
    before, statuses, done = ask("hi").json()[0], [], threading.Event()

    def keep_asking() -> None:
        while not done.is_set():
            statuses.append(ask("hi").status_code)

    asking = threading.Thread(target=keep_asking)
    asking.start()
    changed = _deployment(live, "blue", environment_variables={"VERSION": "2"}, tags={"run": "r2"})
    client.online_deployments.begin_create_or_update(changed).result()
    done.set()
    asking.join()
    after = ask("hi").json()[0]
    assert (before["version"], after["version"]) == ("", "2")
    assert set(statuses) == {200}


def test_metrics_count_every_request_and_have_no_point_where_there_was_none(
    rig: Any, ask: Callable[..., requests.Response]
) -> None:
    ask("hi")
    now = datetime.now(UTC)
    base = f"/subscriptions/{RIG.SUBSCRIPTION}/resourceGroups/box/providers/Microsoft.MachineLearningServices/workspaces/box"
    path = f"{base}/onlineEndpoints/chat/providers/microsoft.insights/metrics?api-version=2023-10-01&metricnames=RequestsPerMinute"

    def series(start: datetime, end: datetime) -> list[dict[str, Any]]:
        span = f"{start:%Y-%m-%dT%H:%M:%SZ}/{end:%Y-%m-%dT%H:%M:%SZ}"
        status, text = rig.call(f"{path}&aggregation=Average&interval=PT1M&timespan={span}", rig.token(rig.url))
        assert status == 200, text
        (metric,) = json.loads(text)["value"]
        return list(metric["timeseries"][0]["data"])

    assert sum(point["average"] for point in series(now - timedelta(minutes=10), now + timedelta(minutes=1))) >= 100
    assert series(now - timedelta(hours=3), now - timedelta(hours=2)) == []


def test_what_served_serves_again_after_the_emulators_restart(rig: Any, ask: Callable[..., requests.Response]) -> None:
    pid = ask("hi").json()[0]["pid"]
    emulator = rig.processes.pop("azureml")
    emulator.send_signal(signal.SIGKILL)
    emulator.wait()
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{pid}").exists(), "an inference server outlived its emulator"
    rig.start_emulator()
    deadline = time.monotonic() + 30
    while ask("hi").status_code != 200:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_deployment_goes_only_without_traffic_and_the_bill_ends_with_it(
    client: Any, live: str, rig: Any, ask: Callable[..., requests.Response]
) -> None:
    from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

    with pytest.raises(HttpResponseError, match="traffic"):
        client.online_deployments.begin_delete("blue", live).result()
    pid = ask("hi").json()[0]["pid"]
    _route(client, {"blue": 0})
    assert ask("hi").status_code == 404
    assert ask("hi", azureml_model_deployment="blue").status_code == 200
    client.online_deployments.begin_delete("blue", live).result()
    with pytest.raises(ResourceNotFoundError):
        client.online_deployments.get("blue", live)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    _, text = rig.call("/_emulator/billing", rig.token(rig.url))
    rows = [row for row in json.loads(text)["deployments"] if row["deployment"] == "blue"]
    assert rows
    assert all(row["to"] and row["instance_type"] == SIZE for row in rows)


def test_deleting_an_endpoint_deletes_its_deployments(client: Any, live: str, rig: Any) -> None:
    from azure.core.exceptions import ResourceNotFoundError

    client.online_deployments.begin_create_or_update(_deployment(live, "green")).result()
    client.online_endpoints.begin_delete(live).result()
    with pytest.raises(ResourceNotFoundError):
        client.online_endpoints.get(live)
    _, text = rig.call("/_emulator/serving", rig.token(rig.url))
    assert json.loads(text)["deployments"] == []


SCRIPT = """
import json, os

def init():
    global words
    words = open(os.path.join(os.environ["AZUREML_MODEL_DIR"], "files", "data", "weights.txt")).read().strip()

def run(raw):
    return {"words": words, "sent": json.loads(raw)}
"""


def test_a_scoring_script_is_served_behind_a_token(rig: Any, client: Any, tmp_path: Path) -> None:
    from azure.ai.ml.entities import CodeConfiguration, ManagedOnlineEndpoint

    (tmp_path / "score.py").write_text(SCRIPT)
    client.online_endpoints.begin_create_or_update(ManagedOnlineEndpoint(name="script", auth_mode="aml_token")).result()
    code = CodeConfiguration(code=str(tmp_path), scoring_script="score.py")
    environment = "azureml://registries/azureml/environments/plain/versions/1"
    made = _deployment("script", "one", code_configuration=code, environment=environment)
    client.online_deployments.begin_create_or_update(made).result()
    token = client.online_endpoints.get_keys("script").access_token
    headers = {"Authorization": f"Bearer {token}", "azureml-model-deployment": "one"}
    url, ca = f"{rig.url}/endpoints/script/score", str(rig.home / "ca/bundle.pem")
    answer = requests.post(url, json={"any": 1}, headers=headers, timeout=20, verify=ca)
    assert answer.json() == {"words": "1", "sent": {"any": 1}}
    client.online_endpoints.begin_delete("script").result()
