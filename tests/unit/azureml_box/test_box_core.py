"""The emulator's core without a process: store, cache, addresses, ids, versions, paths, events."""

from __future__ import annotations

import asyncio
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azureml_box import assets, containers, datastores, versions
from azureml_box.asset_paths import located, must_exist
from azureml_box.cache import BlobCache
from azureml_box.errors import ArmError, BadRequest, NotFound
from azureml_box.events import EventPublisher
from azureml_box.middleware import spell
from azureml_box.operations import Operations
from azureml_box.options import config_of, parser
from azureml_box.storage import _below
from azureml_box.store import Store

WS = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.MachineLearningServices/workspaces/ws"
LONG = "azureml://subscriptions/s/resourcegroups/rg/workspaces/ws/datastores"


class FewBlobs:
    """Blob names by container, in memory."""

    def __init__(self, **names: list[str]) -> None:
        self.names = names

    def list(self, container: str, prefix: str = "") -> list[str]:
        return [name for name in self.names.get(container, []) if name.startswith(prefix)]


@pytest.fixture
def box(tmp_path: Path) -> Any:
    config = SimpleNamespace(
        workspace_id="w",
        workspace="ws",
        subscription="s",
        resource_group="rg",
        workspace_scope=WS,
        storage_account="acc",
        storage_suffix="x@127.0.0.1:1/acc",
        storage_url="https://127.0.0.1:1/acc",
        registries={"azureml": tmp_path},
    )
    box = SimpleNamespace(config=config, store=Store(tmp_path / "s.sqlite"), storage=FewBlobs())
    for name, doc in datastores.default_datastores(box).items():  # type: ignore[arg-type]
        box.store.put("datastores", name, doc)
    return box


def test_documents_keep_their_place_when_they_are_replaced(tmp_path: Path) -> None:
    store = Store(tmp_path / "s.sqlite")
    for name in ("a", "b", "c"):
        store.put("kind", f"x|{name}", {"name": name})
    store.put("kind", "x|a", {"name": "a", "new": True})
    store.put("kind", "y|d", {"name": "d"})
    assert [doc["name"] for doc in store.list("kind", "x|")] == ["a", "b", "c"]
    assert [doc["name"] for doc in store.list("kind", "x|", newest_first=True, limit=1, offset=1)] == ["b"]
    assert (store.delete("kind", "x|a"), store.delete("kind", "x|a"), store.get("kind", "x|a")) == (True, False, None)


def test_documents_survive_a_restart(tmp_path: Path) -> None:
    first = Store(tmp_path / "s.sqlite")
    first.put("kind", "key", {"n": 1})
    first.close()
    assert Store(tmp_path / "s.sqlite").get("kind", "key") == {"n": 1}


def test_a_prefix_is_taken_literally(tmp_path: Path) -> None:
    store = Store(tmp_path / "s.sqlite")
    store.put("kind", "a_b|1", {"n": 1})
    store.put("kind", "aXb|1", {"n": 2})
    assert [doc["n"] for doc in store.list("kind", "a_b|")] == [1]


def test_a_cached_file_is_a_hard_link_until_it_is_written_to(tmp_path: Path) -> None:
    cache, source = BlobCache(tmp_path / "cache"), tmp_path / "source"
    source.write_text("one")
    cache.keep("container", "blob", '"0x1"', source)
    assert cache.link("container", "blob", "0x1", tmp_path / "copy")
    assert (tmp_path / "copy").stat().st_ino == source.stat().st_ino
    assert not cache.link("container", "blob", "0x2", tmp_path / "other")
    source.write_text("longer now")
    assert not cache.link("container", "blob", "0x1", tmp_path / "other")


@pytest.mark.parametrize(
    ("name", "prefix", "below"),
    [("a/b/c", "a/b/", "c"), ("a/b/c", "a/b", "c"), ("a/bc", "a/b", None), ("a/b", "a/b", "b"), ("a/b", "", "a/b")],
)
def test_a_neighbour_with_the_same_letters_is_not_below_a_folder(name: str, prefix: str, below: str | None) -> None:
    assert _below(name, prefix) == below


@pytest.mark.parametrize(
    ("uri", "place"),
    [
        ("azureml://datastores/workspaceblobstore/paths/a/b/", ("azureml-blobstore-w", "a/b/")),
        (f"{LONG}/workspaceartifactstore/paths/x%20y", ("azureml", "x y")),
        ("azureml://datastores/WorkspaceBlobStore", ("azureml-blobstore-w", "")),
        ("https://127.0.0.1:1/acc/datasets/n/train.jsonl", ("datasets", "n/train.jsonl")),
        ("https://acc.blob.x@127.0.0.1:1/acc/datasets/f", ("datasets", "f")),
    ],
)
def test_every_spelling_of_an_address_leads_to_its_blob(box: Any, uri: str, place: tuple[str, str]) -> None:
    assert datastores.resolve(box, uri) == place


@pytest.mark.parametrize(
    "uri", ["https://elsewhere:1/acc/c/b", "ftp://x", "azureml://datastores/", "https://127.0.0.1:1/acc/"]
)
def test_addresses_outside_the_account_are_refused(box: Any, uri: str) -> None:
    with pytest.raises(BadRequest):
        datastores.resolve(box, uri)


def test_unknown_datastores_and_other_workspaces_are_not_found(box: Any) -> None:
    for uri in ("azureml://datastores/none/paths/a", LONG.replace("ws", "w2") + "/workspaceblobstore/paths/a"):
        with pytest.raises(NotFound):
            datastores.resolve(box, uri)


def test_the_output_of_a_job_is_located_through_its_document(box: Any) -> None:
    uri = "azureml://datastores/workspaceblobstore/paths/azureml/j1/model/"
    box.store.put("jobs", "j1", {"properties": {"outputs": {"model": {"uri": uri}}}})
    wanted = f"{LONG}/workspaceblobstore/paths/azureml/j1/model"
    assert located(box, "azureml://jobs/j1/outputs/model") == wanted
    assert located(box, "azureml://jobs/j1/outputs/model/paths/data") == f"{wanted}/data"
    assert located(box, "runs:/j1/model") == f"{LONG}/workspaceartifactstore/paths/ExperimentRun/dcid.j1/model"
    with pytest.raises(NotFound, match="It has: model"):
        located(box, "azureml://jobs/j1/outputs/other")


def test_an_address_without_blobs_does_not_exist(box: Any) -> None:
    box.storage = FewBlobs(azureml=["a/model/MLmodel", "a/modelling"])
    asyncio.run(must_exist(box, "azureml://datastores/workspaceartifactstore/paths/a/model/"))
    with pytest.raises(NotFound, match="does not exist"):
        asyncio.run(must_exist(box, "azureml://datastores/workspaceartifactstore/paths/a/mod"))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("azureml://registries/azureml/models/Phi-3/versions/15", assets.AssetId("azureml", "models", "Phi-3", "15")),
        (f"{WS}/models/own/versions/2", assets.AssetId("workspace", "models", "own", "2")),
        (f"azureml:{WS}/models/own/versions/2", assets.AssetId("workspace", "models", "own", "2")),
        ("azureml:own:2", assets.AssetId("workspace", "models", "own", "2")),
        ("own@latest", assets.AssetId("workspace", "models", "own", "latest", is_label=True)),
        ("azureml://registries/r/models/m/labels/latest", assets.AssetId("r", "models", "m", "latest", is_label=True)),
    ],
)
def test_an_asset_is_named_in_many_ways(text: str, wanted: assets.AssetId) -> None:
    assert assets.parse("models", text) == wanted


def test_an_id_of_another_kind_is_refused() -> None:
    with pytest.raises(BadRequest, match="components"):
        assets.parse("models", "azureml://registries/azureml/components/c/versions/1")


def test_the_next_version_follows_the_largest_number(box: Any) -> None:
    for version in ("2", "10", "beta"):
        doc = {"name": version, "_name": "m", "_scope": "workspace", "systemData": {}}
        properties = {"isArchived": version == "beta", "isAnonymous": False}
        containers.keep_version(box, "models", {**doc, "properties": properties})
    properties = containers.get(box, "models", "workspace", "m")["properties"]
    assert (properties["latestVersion"], properties["nextVersion"]) == ("10", "11")
    assert assets.find(box, "models", "m@latest")["name"] == "10"


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        (WS, "workspace"),
        (f"{WS}/models/m/versions/1", "models"),
        (f"/mferp/managementfrontend{WS.replace('workspaces', 'registries')}/data/d", "data"),
        (f"/history/v1.0{WS}/runs/r/details", None),
        ("/subscriptions/s/providers/Microsoft.MachineLearningServices/locations/eastus/vmSizes", "vmSizes"),
        (f"{WS}/onlineEndpoints/e/providers/Microsoft.Insights/metrics", "metrics"),
        ("/healthz", None),
    ],
)
def test_the_version_table_is_entered_by_the_kind_of_resource(path: str, kind: str | None) -> None:
    assert versions.kind_of(path) == kind


def test_unknown_and_missing_versions_are_refused() -> None:
    versions.check(f"{WS}/models", {"api-version": "2023-08-01-preview"})
    for query in ({}, {"api-version": "2020-01-01"}):
        with pytest.raises(BadRequest) as refused:
            versions.check(f"{WS}/models", query)
        assert refused.value.code.endswith("ApiVersionParameter")


@given(st.lists(st.booleans(), min_size=200, max_size=200))
def test_the_case_of_fixed_segments_does_not_count(upper: list[bool]) -> None:
    box: Any = SimpleNamespace(config=SimpleNamespace(subscription="s", resource_group="rg", workspace="ws"))
    path = f"{WS}/models"
    odd = "".join(c.upper() if up else c for c, up in zip(WS, upper, strict=False)) + "/models"
    assert spell(odd, box) == path


def test_names_keep_their_case() -> None:
    box: Any = SimpleNamespace(config=SimpleNamespace(subscription="s", resource_group="rg", workspace="ws"))
    assert spell(f"{WS}/models/DEPLOYMENTS", box) == f"{WS}/models/DEPLOYMENTS"
    assert spell("/metadata/endpoints", box) == "/metadata/endpoints"


def test_an_operation_ends_as_its_work_ends(tmp_path: Path) -> None:
    operations = Operations(Store(tmp_path / "s.sqlite"))

    async def fails() -> None:
        raise ArmError(400, "OutOfQuota", "no cores")

    async def scenario() -> list[Any]:
        done, broken = operations.start("good"), operations.start("bad", fails())
        for _ in range(3):
            await asyncio.sleep(0)
        return [operations._store.get("operations", each) for each in (done, broken)]

    good, bad = asyncio.run(scenario())
    assert (good["status"], bad["status"], bad["error"]["code"]) == ("Succeeded", "Failed", "OutOfQuota")


def test_an_operation_that_a_stop_cut_off_is_failed_at_the_next_start(tmp_path: Path) -> None:
    operations = Operations(Store(tmp_path / "s.sqlite"))
    operation = operations.create("put")
    assert operations.interrupt_unfinished() == 1
    doc = operations._store.get("operations", operation)
    assert doc is not None
    assert doc["error"]["code"] == "OperationInterrupted"


def test_events_carry_the_envelope_of_event_grid() -> None:
    config: Any = SimpleNamespace(workspace_scope=WS, events_url="https://127.0.0.1:9/x", events_key="k")
    event = EventPublisher(config)._envelope(
        "Microsoft.MachineLearningServices.ModelRegistered", "models/m:1", {"a": 1}
    )
    assert (event["topic"], event["subject"], event["metadataVersion"]) == (WS, "models/m:1", "1")
    assert event["eventTime"].endswith("Z")


def test_an_event_is_sent_again_until_the_topic_takes_it() -> None:
    taken: list[tuple[str | None, Any]] = []

    class Topic(BaseHTTPRequestHandler):
        answers = iter([503, 200])

        def do_POST(self) -> None:
            sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            taken.append((self.headers["aeg-sas-key"], sent))
            self.send_response(next(self.answers))
            self.end_headers()

        def log_message(self, *_: Any) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Topic) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        config: Any = SimpleNamespace(
            workspace_scope=WS, events_url=f"http://127.0.0.1:{server.server_port}/", events_key="k"
        )

        async def scenario() -> None:
            publisher = EventPublisher(config)
            await publisher.start()
            publisher.publish("Type", "models/m:1", {"a": 1})
            await asyncio.wait_for(publisher._queue.join(), 5)
            await publisher.stop()

        asyncio.run(scenario())
        server.shutdown()
    assert [(key, sent[0]["data"]) for key, sent in taken] == [("k", {"a": 1})] * 2


def test_the_command_line_refuses_a_registry_without_a_folder(tmp_path: Path) -> None:
    given = {"home": tmp_path, "port": 1, "cert": "c", "key": "k", "subscription": "s", "resource-group": "r"}
    given |= {"workspace": "w", "workspace-id": "i", "tenant": "t", "storage-url": "https://h/a/"}
    given |= {"storage-account": "a", "storage-suffix": "x"}
    arguments = [f"--{name}={value}" for name, value in given.items()]
    config = config_of(
        parser().parse_args([*arguments, f"--registry=r={tmp_path}"]), {"AZUREML_BOX_STORAGE_KEY": "secret"}
    )
    assert (config.storage_url, config.registries) == ("https://h/a", {"r": tmp_path.resolve()})
    assert "secret" not in repr(config)
    with pytest.raises(SystemExit, match="NAME=DIR"):
        config_of(parser().parse_args([*arguments, "--registry=r=/nowhere"]), {"AZUREML_BOX_STORAGE_KEY": "secret"})
    with pytest.raises(SystemExit, match="AZUREML_BOX_STORAGE_KEY"):
        config_of(parser().parse_args(arguments), {})
