"""Storage, identity and Event Grid as processes, with the real SDKs in front and a webhook behind."""

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from azure.eventgrid import EventGridEvent, EventGridPublisherClient
from azure.identity import DefaultAzureCredential
from azure.storage.blob import BlobBlock, BlobServiceClient

from local.box import certificates, config, environment, provision
from local.box.services import EVENTGRID, IDENTITY, STORAGE, Service, child_environment
from local.eventgrid.subscriptions import Subscription, write

pytestmark = pytest.mark.stack
DATASETS = "/blobServices/default/containers/datasets/"


class Webhook:
    """A subscriber that keeps what it gets and answers what it is told to."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.received: list[float] = []
        self.statuses: list[int] = []
        hook = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                received = time.time()
                events = json.loads(self.rfile.read(int(self.headers["content-length"])))
                body, status = b"{}", 200
                if self.headers["aeg-event-type"] == "SubscriptionValidation":
                    body = json.dumps({"validationResponse": events[0]["data"]["validationCode"]}).encode()
                else:
                    status = hook.statuses.pop(0) if hook.statuses else 200
                    hook.events += events
                    hook.received.append(received)
                self.send_response(status)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook?code=secret"

    def clear(self) -> None:
        self.events.clear()
        self.received.clear()
        self.statuses.clear()


class Box:
    """A box without supervisor: its tests stop and start services themselves."""

    def __init__(self, home: Path) -> None:
        self.config = config.load_or_create(home)
        certificates.ensure(self.config.ca)
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.ca = str(self.config.ca / "bundle.pem")
        self.hook = Webhook()

    def subscribe(self, **limits: Any) -> None:
        one = Subscription("test", "storage", self.hook.url, (), DATASETS, **limits)
        write(self.config.home / "eventgrid" / "subscriptions.json", [one])

    def start(self, *services: Service) -> None:
        for service in services:
            command, log = service.command(self.config, -1), self.config.home / f"{service.name}.log"
            with log.open("ab") as out:
                variables = child_environment(self.config, service)
                self.processes[service.name] = subprocess.Popen(command, stdout=out, stderr=out, env=variables)
        for service in services:
            until(lambda service=service: self._answers(service), 20)

    def stop(self, service: Service, number: int = signal.SIGTERM) -> int:
        process = self.processes.pop(service.name)
        process.send_signal(number)
        return process.wait(5)

    def deliveries(self) -> list[dict[str, Any]]:
        url = f"{self.config.url('eventgrid')}/_eventgrid/deliveries"
        return requests.get(url, verify=self.ca, timeout=5).json()["deliveries"]

    def close(self) -> None:
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            process.wait(5)
        self.hook.server.shutdown()
        self.hook.server.server_close()

    def _answers(self, service: Service) -> bool:
        try:
            return requests.get(service.health_url(self.config), verify=self.ca, timeout=2).status_code < 500
        except requests.ConnectionError:
            return False


def until(condition: Callable[[], Any], within: float) -> None:
    end = time.monotonic() + within
    while not condition():
        assert time.monotonic() < end, "not in time"
        time.sleep(0.02)


@contextmanager
def exported(variables: dict[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    made = Box(tmp_path_factory.mktemp("box"))
    try:
        made.subscribe()
        made.start(IDENTITY, STORAGE, EVENTGRID)
        import asyncio

        asyncio.run(provision.storage(made.config))
        with exported(environment.client(made.config)):
            yield made
    finally:
        made.close()


@pytest.fixture
def blobs(box: Box) -> Iterator[BlobServiceClient]:
    box.hook.clear()
    with (
        DefaultAzureCredential() as credential,
        BlobServiceClient(box.config.url("blob"), credential=credential) as client,
    ):
        yield client


def only_event(box: Box) -> dict[str, Any]:
    until(lambda: box.hook.events, 5)
    time.sleep(0.3)
    assert len(box.hook.events) == 1
    return box.hook.events[0]


def test_an_upload_with_a_token_raises_exactly_one_event(box: Box, blobs: BlobServiceClient) -> None:
    answer = blobs.get_blob_client("datasets", "a b/ä.jsonl").upload_blob(b"12345", metadata={"k": "v"})
    data = only_event(box)["data"]
    assert (data["api"], data["contentLength"], data["blobType"]) == ("PutBlob", 5, "BlockBlob")
    assert data["eTag"] == answer["etag"]
    assert box.hook.events[0]["subject"] == f"{DATASETS}blobs/a b/ä.jsonl"


def test_a_block_list_raises_one_event_with_the_blobs_own_length(box: Box, blobs: BlobServiceClient) -> None:
    blob = blobs.get_blob_client("datasets", "blocks")
    blob.stage_block("MDE=", b"123")
    blob.stage_block("MDI=", b"4567")
    blob.commit_block_list([BlobBlock("MDE="), BlobBlock("MDI=")])
    data = only_event(box)["data"]
    assert (data["api"], data["contentLength"], data["blobType"]) == ("PutBlockList", 7, "BlockBlob")


def test_a_copy_raises_one_event(box: Box, blobs: BlobServiceClient) -> None:
    source = blobs.get_blob_client("datasets", "source")
    source.upload_blob(b"123456")
    only_event(box)
    box.hook.clear()
    blobs.get_blob_client("datasets", "copy").start_copy_from_url(source.url)
    data = only_event(box)["data"]
    assert (data["api"], data["contentLength"]) == ("CopyBlob", 6)


def test_tags_metadata_properties_leases_and_refused_writes_raise_nothing(box: Box, blobs: BlobServiceClient) -> None:
    blob = blobs.get_blob_client("datasets", "quiet")
    blob.upload_blob(b"1")
    only_event(box)
    box.hook.clear()
    blob.set_blob_tags({"a": "b"})
    blob.set_blob_metadata({"a": "b"})
    blob.acquire_lease(15).release()
    blob.create_snapshot()
    with pytest.raises(Exception, match="already exists"):
        blob.upload_blob(b"2")
    blobs.get_blob_client("snapshots", "elsewhere").upload_blob(b"not in datasets")
    blob.delete_blob(delete_snapshots="include")
    time.sleep(1.3)
    assert box.hook.events == []


def test_sequencers_grow(box: Box, blobs: BlobServiceClient) -> None:
    for number in range(5):
        blobs.get_blob_client("datasets", f"many/{number}").upload_blob(b"1")
    until(lambda: len(box.hook.events) == 5, 5)
    by_name = sorted(box.hook.events, key=lambda event: event["subject"])
    sequencers = [event["data"]["sequencer"] for event in by_name]
    assert sequencers == sorted(sequencers)
    assert {len(one) for one in sequencers} == {48}


def test_an_event_comes_within_50_ms_of_its_upload(box: Box, blobs: BlobServiceClient) -> None:
    waits = []
    for number in range(15):
        before = len(box.hook.received)
        blobs.get_blob_client("datasets", f"fast/{number}").upload_blob(b"1")
        uploaded = time.time()
        until(lambda before=before: len(box.hook.received) > before, 5)
        waits.append(box.hook.received[-1] - uploaded)
    assert sorted(waits)[7] < 0.05


def test_a_failing_handler_gets_the_event_again(box: Box, blobs: BlobServiceClient) -> None:
    box.hook.statuses = [500, 503]
    blobs.get_blob_client("datasets", "again").upload_blob(b"1")
    until(lambda: len(box.hook.events) == 3, 10)
    assert len({event["id"] for event in box.hook.events}) == 1
    last = [entry for entry in box.deliveries() if entry["event_id"] == box.hook.events[0]["id"]]
    assert [entry["status"] for entry in last] == [500, 503, 200]


def test_an_event_that_is_refused_for_good_becomes_a_dead_letter(box: Box, blobs: BlobServiceClient) -> None:
    box.hook.statuses = [400]
    blobs.get_blob_client("datasets", "dead").upload_blob(b"1")
    folder = box.config.home / "eventgrid" / "deadletter"
    until(lambda: list(folder.glob("*.json")), 5)
    letter = json.loads(next(folder.glob("*.json")).read_text())[0]
    assert letter["deadLetterReason"] == "UndeliverableDueToClientError"
    assert letter["subject"].endswith("/dead")


def test_a_kill_of_event_grid_loses_no_event(box: Box, blobs: BlobServiceClient) -> None:
    box.hook.statuses = [500]
    blobs.get_blob_client("datasets", "before the kill").upload_blob(b"1")
    until(lambda: box.hook.events, 5)
    box.stop(EVENTGRID, signal.SIGKILL)
    blobs.get_blob_client("datasets", "while it was down").upload_blob(b"1")
    box.start(EVENTGRID)
    until(lambda: len(box.hook.events) == 3, 10)
    time.sleep(0.3)
    assert [event["subject"].split("/blobs/")[1] for event in box.hook.events].count("while it was down") == 1
    assert len(box.hook.events) == 3


def test_the_storage_ends_cleanly_and_keeps_everything(box: Box, blobs: BlobServiceClient) -> None:
    """Also where a save has begun just before: one is due every 300 ms."""
    for pause in (0.0, 0.2, 0.25, 0.3):
        client = blobs.get_blob_client("datasets", f"kept {pause}")
        client.upload_blob(b"kept")
        time.sleep(pause)
        assert box.stop(STORAGE) == 0
        box.start(STORAGE)
        assert client.download_blob().readall() == b"kept"


def test_every_service_ends_cleanly_within_two_seconds(box: Box) -> None:
    for service in (IDENTITY, EVENTGRID):
        begun = time.monotonic()
        assert box.stop(service) == 0
        assert time.monotonic() - begun < 2
    box.start(IDENTITY, EVENTGRID)


def test_an_app_publishes_with_its_identity_or_the_key_and_nobody_else(box: Box) -> None:
    url = f"{box.config.url('eventgrid')}/topics/droptune/api/events"
    with DefaultAzureCredential() as credential, EventGridPublisherClient(url, credential) as client:
        client.send(EventGridEvent(subject="runs/r", event_type="Droptune.Live", data={"a": 1}, data_version="1"))
    published = f"{box.config.url('eventgrid')}/_eventgrid/events?topic=droptune"
    event = requests.get(published, verify=box.ca, timeout=5).json()["events"][-1]
    assert (event["eventType"], event["data"]) == ("Droptune.Live", {"a": 1})
    assert event["topic"].endswith("/topics/droptune")
    key = {"aeg-sas-key": box.config.secrets["topic_droptune"]}
    assert requests.post(url, json=[], headers=key, verify=box.ca, timeout=5).status_code == 200
    wrong = {"aeg-sas-key": box.config.secrets["topic_azureml"]}
    assert requests.post(url, json=[], headers=wrong, verify=box.ca, timeout=5).status_code == 401


def test_a_second_box_stands_beside_the_first(box: Box, tmp_path: Path) -> None:
    second = Box(tmp_path)
    try:
        running = [box.config.ports[name] for name in ("blob", "queue", "identity", "eventgrid")]
        assert not set(second.config.ports.values()) & set(running)
        second.start(IDENTITY)
        url = f"{second.config.url('identity')}/healthz"
        with pytest.raises(requests.exceptions.SSLError):
            requests.get(url, verify=str(box.config.ca / "ca.pem"), timeout=5)
    finally:
        second.close()
