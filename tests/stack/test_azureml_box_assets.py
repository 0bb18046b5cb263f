"""The unmodified azure-ai-ml SDK against a real emulator process over HTTPS, with a real Azurite behind it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest

from local.box import certificates
from local.box.node import node

pytestmark = pytest.mark.stack

REPOSITORY = Path(__file__).resolve().parents[2]
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
SUBSCRIPTION = "00000000-0000-4000-8000-00000000d407"
WORKSPACE_ID = "11111111-2222-4333-8444-555555555555"
TENANT = "22222222-0000-4000-8000-000000000001"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def write_registry(folder: Path) -> Path:
    specs = {
        "models/tiny": "name: tiny\nversion: '3'\ntype: mlflow_model\npath: files\n"
        "tags: {task: chat-completion, context: 4096}\nproperties: {languages: en}\n",
        "components/echo": "name: echo\nversion: 0.0.1\ntype: command\ncode: ./code\ncommand: python run.py ${{inputs.x}}\n"
        "environment: azureml://registries/azureml/environments/plain/versions/1\n"
        "inputs: {x: {type: string, default: '1', optional: true}}\noutputs: {out: {type: uri_folder}}\n"
        "distribution: {type: pytorch}\n",
        "environments/plain": "name: plain\nversion: '1'\nimage: example.org/plain:1\n",
    }
    for name, spec in specs.items():
        place = folder / name
        place.mkdir(parents=True)
        (place / "spec.yaml").write_text(spec)
    for file in ("models/tiny/files/MLmodel", "components/echo/code/run.py"):
        (folder / file).parent.mkdir(exist_ok=True)
        (folder / file).write_text("print('hello')\n")
    return folder


class Rig:
    """Azurite and one emulator, in a folder of their own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.blob, self.queue, self.port = free_port(), free_port(), free_port()
        self.url, self.storage = f"https://127.0.0.1:{self.port}", f"https://127.0.0.1:{self.blob}/devstoreaccount1"
        self.registry = write_registry(home / "registry")
        certificates.ensure(home / "ca")
        certificates.write_bundle(home / "ca")
        self.environment = {
            "REQUESTS_CA_BUNDLE": str(home / "ca/bundle.pem"),
            "SSL_CERT_FILE": str(home / "ca/bundle.pem"),
        }
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def tls(self) -> list[str]:
        return [f"--cert={self.home / 'ca/server.pem'}", f"--key={self.home / 'ca/server.key'}"]

    def spawn(self, name: str, command: list[str], **variables: str) -> None:
        environment = {**os.environ, **self.environment, "PYTHONPATH": str(REPOSITORY), **variables}
        with (self.home / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(command, env=environment, stdout=log, stderr=log)

    def start_storage(self) -> None:
        script = str(REPOSITORY / "local/storage/azurite.cjs")
        ports = [f"--blob-port={self.blob}", f"--queue-port={self.queue}"]
        self.spawn("storage", [node(), script, f"--home={self.home}", *ports, *self.tls])

    def start_emulator(self) -> None:
        options = {
            "home": self.home / "azureml",
            "port": self.port,
            "token-public-key": self.home / "ca/identity.pub",
            "subscription": SUBSCRIPTION,
            "resource-group": "box",
            "workspace": "box",
            "workspace-id": WORKSPACE_ID,
            "tenant": TENANT,
            "storage-url": self.storage,
            "storage-account": "devstoreaccount1",
            "storage-suffix": f"x@127.0.0.1:{self.blob}/devstoreaccount1",
            "registry": f"azureml={self.registry}",
        }
        arguments = [f"--{name}={value}" for name, value in options.items()]
        signing = {"AZUREML_BOX_STORAGE_KEY": KEY, "AZUREML_BOX_SIGNING_KEY": str(self.home / "ca/identity.key")}
        self.spawn("azureml", [sys.executable, "-m", "azureml_box", *arguments, *self.tls], **signing)
        self.wait()

    def wait(self) -> None:
        for _ in range(300):
            if self.processes["azureml"].poll() is not None:
                break
            try:
                self.call("/healthz")
                return
            except OSError:
                time.sleep(0.2)
        raise AssertionError((self.home / "azureml.log").read_text()[-4000:])

    def stop(self, name: str) -> None:
        process = self.processes.pop(name)
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)

    def token(self, audience: str, seconds: int = 3600) -> str:
        now = int(time.time())
        claims = {"aud": audience, "iss": f"https://sts.windows.net/{TENANT}/", "tid": TENANT, "oid": "tester"}
        key = (self.home / "ca/identity.key").read_text()
        return jwt.encode({**claims, "iat": now, "nbf": now - 10, "exp": now + seconds}, key, "RS256")

    def call(self, path: str, token: str | None = None, method: str = "GET") -> tuple[int, str]:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        request = urllib.request.Request(f"{self.url}{path}", headers=headers, method=method)
        context = ssl.create_default_context(cafile=str(self.home / "ca/bundle.pem"))
        try:
            with urllib.request.urlopen(request, timeout=10, context=context) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()


class Signed:
    """A TokenCredential that signs what the identity endpoint of a box would sign."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig

    def get_token(self, *scopes: str, **_: Any) -> Any:
        from azure.core.credentials import AccessToken

        audience = scopes[0].removesuffix("/.default")
        return AccessToken(self._rig.token(audience), int(time.time()) + 3600)


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    rig = Rig(tmp_path_factory.mktemp("box"))
    try:
        rig.start_storage()
        rig.start_emulator()
        yield rig
    finally:
        for name in list(rig.processes):
            rig.stop(name)
    shutil.rmtree(rig.home / "storage", ignore_errors=True)


@pytest.fixture(scope="module")
def sdk_environment(rig: Rig) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in rig.environment.items():
            patch.setenv(name, value)
        patch.setenv("ARM_CLOUD_METADATA_URL", f"{rig.url}/metadata/endpoints?api-version=2019-05-01")
        patch.setenv("REGISTRY_DISCOVERY_ENDPOINT_URL", f"{rig.url}/")
        patch.setenv("AZUREML_CURRENT_CLOUD", "AzureMLBox")
        yield


@pytest.fixture(scope="module")
def client(rig: Rig, sdk_environment: None) -> Any:
    from azure.ai.ml import MLClient

    return MLClient(Signed(rig), SUBSCRIPTION, "box", "box")


@pytest.fixture(scope="module")
def registry(rig: Rig, sdk_environment: None) -> Any:
    from azure.ai.ml import MLClient

    return MLClient(Signed(rig), registry_name="azureml")


def test_the_workspace_names_its_region_and_its_data_planes(client: Any) -> None:
    workspace = client.workspaces.get("box")
    assert (workspace.location, workspace.discovery_url.split("/")[-1]) == ("eastus", "discovery")


def test_the_latest_model_of_the_registry_comes_with_its_tags_as_text(registry: Any) -> None:
    model = registry.models.get("tiny", label="latest")
    assert (model.version, model.id) == ("3", "azureml://registries/azureml/models/tiny/versions/3")
    assert model.tags == {"task": "chat-completion", "context": "4096"}
    assert registry.models.get("tiny", version="3").type == "mlflow_model"


def test_the_latest_component_of_the_registry_can_be_called(registry: Any) -> None:
    component = registry.components.get("echo", label="latest")
    assert (component.version, component.type) == ("0.0.1", "command")
    assert component(x="2").inputs["x"]._data == "2"


def test_a_registry_model_can_be_downloaded(registry: Any, tmp_path: Path) -> None:
    registry.models.download("tiny", "3", download_path=tmp_path)
    assert [path.read_text() for path in tmp_path.rglob("MLmodel")] == ["print('hello')\n"]


def test_a_model_can_be_published_to_the_registry(registry: Any, tmp_path: Path) -> None:
    from azure.ai.ml.entities import Environment, Model

    (tmp_path / "files").mkdir()
    (tmp_path / "files/MLmodel").write_text("own")
    made = registry.models.create_or_update(
        Model(name="own", version="1", path=str(tmp_path / "files"), type="mlflow_model")
    )
    assert made.id == "azureml://registries/azureml/models/own/versions/1"
    assert registry.models.get("own", label="latest").version == "1"
    environment = registry.environments.create_or_update(Environment(name="mine", version="1", image="example.org/i:1"))
    assert environment.id == "azureml://registries/azureml/environments/mine/versions/1"


def test_assets_of_the_workspace_are_shared_with_the_registry(registry: Any, client: Any, tmp_path: Path) -> None:
    from azure.ai.ml.entities import Data, Environment, Model

    (tmp_path / "files/deep").mkdir(parents=True)
    (tmp_path / "files/MLmodel").write_text("shared")
    (tmp_path / "files/deep/part").write_text("part")
    (tmp_path / "one.csv").write_text("a,b")
    client.models.create_or_update(
        Model(name="mine", version="1", path=str(tmp_path / "files"), type="mlflow_model", tags={"by": "me"})
    )
    client.data.create_or_update(Data(name="rows", version="1", path=str(tmp_path / "one.csv"), type="uri_file"))
    client.environments.create_or_update(Environment(name="place", version="1", image="example.org/i:1"))
    target = {"share_with_version": "7", "registry_name": "azureml"}
    model = client.models.share("mine", "1", share_with_name="theirs", **target)
    assert (model.id, model.tags) == ("azureml://registries/azureml/models/theirs/versions/7", {"by": "me"})
    registry.models.download("theirs", "7", download_path=str(tmp_path / "got"))
    found = {path.name: path.read_text() for path in (tmp_path / "got").rglob("*") if path.is_file()}
    assert found == {"MLmodel": "shared", "part": "part"}
    data = client.data.share("rows", "1", share_with_name="rows-2", **target)
    assert (data.type, data.path.endswith("/one.csv")) == ("uri_file", True)
    environment = client.environments.share("place", "1", share_with_name="place-2", **target)
    assert (environment.version, environment.image) == ("7", "example.org/i:1")
    with pytest.raises(Exception, match="already exists"):
        client.models.share("mine", "1", share_with_name="theirs", **target)
    with pytest.raises(Exception, match="Could not find asset"):
        client.models.share("nobody", "1", share_with_name="nobody", **target)


def test_components_and_data_are_published_with_their_files(registry: Any, tmp_path: Path) -> None:
    from azure.ai.ml import command
    from azure.ai.ml.entities import Data

    (tmp_path / "src").mkdir()
    (tmp_path / "src/run.py").write_text("print('hello')")
    (tmp_path / "rows.csv").write_text("a,b")
    step = command(name="speak", version="1", command="python run.py", code=str(tmp_path / "src"), environment="x:1")
    step.component.environment = "azureml://registries/azureml/environments/plain/versions/1"
    made = registry.components.create_or_update(step.component)
    assert made.id == "azureml://registries/azureml/components/speak/versions/1"
    assert made.code.startswith("azureml://registries/azureml/codes/")
    data = registry.data.create_or_update(
        Data(name="table", version="1", path=str(tmp_path / "rows.csv"), type="uri_file")
    )
    assert data.id == "azureml://registries/azureml/data/table/versions/1"
    assert registry.data.get("table", version="1").path.endswith("rows.csv")


def test_a_missing_asset_is_not_found(registry: Any, client: Any) -> None:
    from azure.core.exceptions import ResourceNotFoundError

    with pytest.raises(ResourceNotFoundError):
        client.models.get("nothing", version="1")
    with pytest.raises(ResourceNotFoundError):
        registry.models.get("nothing", version="1")


def test_a_cluster_keeps_what_was_asked_for(client: Any) -> None:
    from azure.ai.ml.entities import AmlCompute

    wanted = AmlCompute(name="gpu-cluster", size="Standard_NC24ads_A100_v4", tier="Dedicated", max_instances=2)
    made = client.compute.begin_create_or_update(wanted).result()
    assert (made.provisioning_state, made.max_instances) == ("Succeeded", 2)
    read = client.compute.get("gpu-cluster")
    assert (read.size, read.tier, read.location) == ("Standard_NC24ads_A100_v4", "dedicated", "eastus")
    assert "gpu-cluster" in [compute.name for compute in client.compute.list()]
    client.compute.begin_delete("gpu-cluster").result()
    assert "gpu-cluster" not in [compute.name for compute in client.compute.list()]


def test_a_size_that_does_not_exist_is_refused(client: Any) -> None:
    from azure.ai.ml.entities import AmlCompute
    from azure.core.exceptions import HttpResponseError

    with pytest.raises(HttpResponseError, match="Standard_Nothing"):
        client.compute.begin_create_or_update(AmlCompute(name="odd", size="Standard_Nothing")).result()


def test_sizes_have_gpus_and_prices_and_the_quota_is_granted(client: Any) -> None:
    sizes = {size.name: size for size in client.compute.list_sizes()}
    assert (sizes["Standard_NC48ads_A100_v4"].gpus, sizes["Standard_D12_v2"].gpus) == (2, 0)
    usages = list(client.compute.list_usage())
    assert all(usage.limit >= 100 for usage in usages)


def test_data_is_uploaded_once_and_found_again(client: Any, tmp_path: Path) -> None:
    from azure.ai.ml.constants import AssetTypes
    from azure.ai.ml.entities import Data

    (tmp_path / "train.jsonl").write_text('{"messages": []}\n')
    made = client.data.create_or_update(
        Data(name="train", path=str(tmp_path / "train.jsonl"), type=AssetTypes.URI_FILE)
    )
    assert made.version == "1"
    assert "/datastores/workspaceblobstore/paths/LocalUpload/" in made.path
    assert client.data.get("train", label="latest").version == "1"
    again = client.data.create_or_update(Data(name="train", path=made.path, type=AssetTypes.URI_FILE))
    assert again.version == "2"


def test_a_model_is_uploaded_and_its_path_cannot_change(client: Any, tmp_path: Path) -> None:
    from azure.ai.ml.entities import Model
    from azure.core.exceptions import HttpResponseError

    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "weights.bin").write_text(name)
    made = client.models.create_or_update(
        Model(name="own", version="1", path=str(tmp_path / "one"), type="custom_model")
    )
    same = client.models.create_or_update(Model(name="own", version="1", path=made.path, type="custom_model"))
    assert same.path == made.path
    with pytest.raises(HttpResponseError, match="Asset paths cannot be updated"):
        client.models.create_or_update(Model(name="own", version="1", path=str(tmp_path / "two"), type="custom_model"))
    assert [model.version for model in client.models.list("own")] == ["1"]
    client.models.download("own", "1", download_path=tmp_path / "down")
    assert [path.read_text() for path in (tmp_path / "down").rglob("weights.bin")] == ["one"]


def test_a_model_needs_files_that_exist(client: Any) -> None:
    from azure.ai.ml.entities import Model
    from azure.core.exceptions import HttpResponseError

    for path in ("azureml://datastores/workspaceblobstore/paths/nowhere/", "azureml://jobs/no-such-job/outputs/model"):
        with pytest.raises(HttpResponseError, match="does not exist"):
            client.models.create_or_update(Model(name="ghost", version="1", path=path, type="custom_model"))


def test_archived_models_leave_the_list(client: Any, tmp_path: Path) -> None:
    from azure.ai.ml.entities import Model

    (tmp_path / "w").write_text("1")
    client.models.create_or_update(Model(name="old", path=str(tmp_path / "w"), type="custom_model"))
    client.models.archive("old", version="1")
    assert list(client.models.list("old")) == []
    client.models.restore("old", version="1")
    assert [model.version for model in client.models.list("old")] == ["1"]


def test_environments_and_components_come_back_with_versions(client: Any) -> None:
    from azure.ai.ml import command
    from azure.ai.ml.entities import Environment

    made = client.environments.create_or_update(Environment(name="plain", image="example.org/image:1"))
    assert made.version == "1"
    assert client.environments.get("plain", label="latest").image == "example.org/image:1"
    node = command(name="hello", command="echo hi", environment="azureml:plain:1")
    component = client.components.create_or_update(node.component)
    assert client.components.get(component.name, label="latest").command == "echo hi"


def test_code_is_uploaded_once(client: Any, tmp_path: Path) -> None:
    from azure.ai.ml import command

    (tmp_path / "run.py").write_text("print(1)\n")
    ids = []
    for name in ("first", "second"):
        node = command(name=name, code=str(tmp_path), command="python run.py", environment="azureml:plain:1")
        ids.append(client.components.create_or_update(node.component).code)
    assert ids[0] == ids[1]
    assert "/codes/" in ids[0]


def test_a_datastore_of_any_container_works_with_the_callers_identity(rig: Rig, client: Any) -> None:
    from azure.ai.ml.entities import AzureBlobDatastore, NoneCredentialConfiguration
    from azure.storage.blob import BlobServiceClient

    BlobServiceClient(rig.storage, credential=KEY).create_container("datasets")
    store = AzureBlobDatastore(name="drops", account_name="devstoreaccount1", container_name="datasets")
    client.datastores.create_or_update(store)
    assert isinstance(client.datastores.get("drops").credentials, NoneCredentialConfiguration)
    assert client.datastores.get_default().name == "workspaceblobstore"
    assert {"drops", "workspaceartifactstore"} <= {found.name for found in client.datastores.list()}
    client.datastores.delete("drops")
    assert "drops" not in {found.name for found in client.datastores.list()}


def test_tokens_are_checked_on_everything_but_discovery(rig: Rig) -> None:
    path = (
        f"/subscriptions/{SUBSCRIPTION}/resourceGroups/box/providers/Microsoft.MachineLearningServices/workspaces/box"
    )
    asked = f"{path}?api-version=2023-08-01-preview"
    assert rig.call(asked)[0] == 401
    assert rig.call(asked, rig.token("https://storage.azure.com"))[0] == 401
    assert rig.call(asked, rig.token(rig.url, seconds=-60))[0] == 401
    assert rig.call(asked, rig.token("https://management.azure.com/"))[0] == 200
    assert rig.call(asked.replace("resourceGroups", "resourcegroups"), rig.token(rig.url))[0] == 200
    assert rig.call("/metadata/endpoints?api-version=2019-05-01")[0] == 200


def test_unknown_versions_resources_and_paths_are_refused(rig: Rig) -> None:
    token = rig.token(rig.url)
    base = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/box/providers/Microsoft.MachineLearningServices/workspaces"
    status, text = rig.call(f"{base}/box/models?api-version=1999-01-01", token)
    assert (status, "InvalidApiVersionParameter" in text) == (400, True)
    status, text = rig.call(f"{base}/other/models?api-version=2023-08-01-preview", token)
    assert (status, "ResourceNotFound" in text) == (404, True)
    assert rig.call(f"{base}/box/featuresets?api-version=2023-08-01-preview", token)[0] == 501
    assert "featuresets" in rig.call("/_emulator/unsupported", token)[1]


def test_what_was_registered_survives_a_restart(rig: Rig, client: Any, tmp_path: Path) -> None:
    from azure.ai.ml.entities import Model

    (tmp_path / "w").write_text("kept")
    client.models.create_or_update(Model(name="kept", version="7", path=str(tmp_path / "w"), type="custom_model"))
    began = time.monotonic()
    rig.stop("azureml")
    assert time.monotonic() - began < 5
    rig.start_emulator()
    assert client.models.get("kept", version="7").version == "7"
