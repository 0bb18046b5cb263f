"""The hooks against a stand-in for the Azure CLI that keeps what is there in a file and writes down what it is told."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from infra import package

ROOT = Path(__file__).parents[3]
GROUP = "/subscriptions/s/resourceGroups/rg"
WORKSPACE = f"{GROUP}/providers/Microsoft.MachineLearningServices/workspaces/mlw"
APP = f"{GROUP}/providers/Microsoft.Web/sites/func"
AZ = """#!{python}
import json, os, sys
words = sys.argv[1:]
state = json.load(open(os.environ["FAKE_AZ"]))
state["calls"].append(words)
answer, code = None, 0
if words[0] == "rest":
    method, url = words[words.index("--method") + 1], words[words.index("--url") + 1].partition("?")[0]
    if method == "delete":
        if url in state["refuse"]:
            answer, code = None, 1
            sys.stderr.write("(AuthorizationFailed) no")
        elif url not in state["there"]:
            code = 1
            sys.stderr.write("(ResourceNotFound) gone")
        else:
            state["there"] = {{key: value for key, value in state["there"].items() if not key.startswith(url)}}
    elif url.endswith(("/onlineEndpoints", "/functions")):
        answer = {{"value": [v for k, v in state["there"].items() if k.startswith(url + "/") and k.count("/") == url.count("/") + 1]}}
    elif url in state["there"]:
        answer = state["there"][url]
    else:
        code = 1
        sys.stderr.write("(ResourceNotFound) gone")
elif " ".join(words[:2]) in state["refuse"]:
    code = 1
    sys.stderr.write("(ResourceNotFound) gone")
json.dump(state, open(os.environ["FAKE_AZ"], "w"))
if answer is not None:
    print(json.dumps(answer))
sys.exit(code)
"""


class Cloud:
    def __init__(self, folder: Path) -> None:
        self.state, self.bin = folder / "state.json", folder / "bin"
        self.bin.mkdir()
        program = self.bin / "az"
        program.write_text(AZ.format(python=sys.executable))
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        self.write(calls=[], there={}, refuse=[])

    def write(self, **changed: Any) -> None:
        self.state.write_text(json.dumps({**(self.read() if self.state.exists() else {}), **changed}))

    def read(self) -> dict[str, Any]:
        return dict(json.loads(self.state.read_text()))

    def run(self, code: str, **settings: str) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": f"{self.bin}:{os.environ['PATH']}",
            "FAKE_AZ": str(self.state),
            "AZURE_SUBSCRIPTION_ID": "s",
            "AZURE_RESOURCE_GROUP": "rg",
            "AZUREML_WORKSPACE_NAME": "mlw",
            "DROPTUNE_APP_ID": APP,
            "DROPTUNE_STORAGE_TOPIC": "evgst-storage",
            "DROPTUNE_WORKSPACE_TOPIC": "evgst-workspace",
            "DROPTUNE_STORAGE_ID": f"{GROUP}/providers/Microsoft.Storage/storageAccounts/st",
            **settings,
        }
        # -S: no site-packages, as on a machine where nothing of ours is installed.
        command = [sys.executable, "-S", "-c", code]
        return subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL
        )


SUBSCRIBE = "import sys; from infra.hooks.subscribe import main; sys.exit(main(1.0, 0.1))"
LEAVE = "import sys; from infra.hooks import leave; leave.PAUSE_SECONDS = 0.1; sys.exit(leave.main())"


@pytest.fixture
def cloud(tmp_path: Path) -> Cloud:
    return Cloud(tmp_path)


def functions(*names: str) -> dict[str, Any]:
    return {f"{APP}/functions/{name}": {"name": f"func/{name}"} for name in names}


def endpoint(name: str, tags: dict[str, str]) -> dict[str, Any]:
    path = f"{WORKSPACE}/onlineEndpoints/{name}"
    return {path: {"id": path, "tags": tags}}


def deleted(cloud: Cloud) -> list[str]:
    calls = cloud.read()["calls"]
    return [words[words.index("--url") + 1] for words in calls if words[0] == "rest" and "delete" in words]


def test_subscriptions_are_made_once_the_functions_are_there(cloud: Cloud) -> None:
    cloud.write(there=functions("dataset_uploaded", "job_changed", "canary", "advance_run"))
    done = cloud.run(SUBSCRIBE)
    assert done.returncode == 0, done.stdout + done.stderr
    made = cloud.read()["calls"][-1]
    assert made[:3] == ["deployment", "group", "create"]
    assert str(ROOT / "infra/events.bicep") in made
    assert f"appId={APP}" in made
    assert "storageTopicName=evgst-storage" in made


def test_no_subscription_is_made_for_a_function_that_is_not_there(cloud: Cloud) -> None:
    cloud.write(there=functions("dataset_uploaded", "canary"))
    done = cloud.run(SUBSCRIBE)
    assert done.returncode == 1
    assert "no function job_changed" in done.stdout
    assert not [words for words in cloud.read()["calls"] if words[0] == "deployment"]


def test_without_the_cli_it_says_what_to_install(cloud: Cloud) -> None:
    (cloud.bin / "az").unlink()
    done = cloud.run(SUBSCRIBE, PATH=str(cloud.bin))
    assert done.returncode == 1
    assert "aka.ms/azure-cli" in done.stdout


def test_down_deletes_endpoints_first_and_purges_the_workspace(cloud: Cloud) -> None:
    cloud.write(there={WORKSPACE: {}, **endpoint("acme-1", {"droptune": "acme"}), **endpoint("other", {})})
    done = cloud.run(LEAVE, DROPTUNE_DOWN="yes", DROPTUNE_VAULT_NAME="kv")
    assert done.returncode == 0, done.stdout + done.stderr
    names = [url.partition("?")[0].rsplit("/", 1)[-1] for url in deleted(cloud)]
    assert names == ["acme-1", "other", "mlw"]
    assert "forceToPurge=true" in deleted(cloud)[-1]
    assert [words[:2] for words in cloud.read()["calls"] if words[0] == "keyvault"] == [
        ["keyvault", "delete"],
        ["keyvault", "purge"],
    ]


def test_down_purges_the_vault_in_azds_subscription_whatever_the_cli_is_set_to(cloud: Cloud) -> None:
    done = cloud.run(LEAVE, DROPTUNE_DOWN="yes", DROPTUNE_VAULT_NAME="kv")
    assert done.returncode == 0, done.stdout + done.stderr
    calls = [words for words in cloud.read()["calls"] if words[0] == "keyvault"]
    assert [words[words.index("--subscription") + 1] for words in calls] == ["s", "s"]


def test_down_purges_a_vault_that_is_deleted_already(cloud: Cloud) -> None:
    cloud.write(refuse=["keyvault delete"])
    done = cloud.run(LEAVE, DROPTUNE_DOWN="yes", DROPTUNE_VAULT_NAME="kv")
    assert done.returncode == 0, done.stdout + done.stderr
    assert [words[1] for words in cloud.read()["calls"] if words[0] == "keyvault"] == ["delete", "purge"]


def test_down_says_what_goes_before_anything_goes(cloud: Cloud) -> None:
    cloud.write(there={WORKSPACE: {}, **endpoint("acme-1", {"droptune": "acme"})})
    done = cloud.run(LEAVE)
    assert done.returncode == 1, "nobody agreed"
    assert "endpoint acme-1" in done.stdout
    assert "workspace mlw, purged" in done.stdout
    assert deleted(cloud) == []


def test_down_leaves_what_was_brought_along(cloud: Cloud) -> None:
    there = {WORKSPACE: {}, f"{WORKSPACE}/computes/gpu-cluster": {}, f"{WORKSPACE}/datastores/snapshots": {}}
    cloud.write(there={**there, **endpoint("ours", {"droptune": "acme"}), **endpoint("theirs", {"team": "x"})})
    done = cloud.run(LEAVE, DROPTUNE_DOWN="yes", DROPTUNE_OWNS_WORKSPACE="false")
    assert done.returncode == 0, done.stdout + done.stderr
    assert set(cloud.read()["there"]) == {WORKSPACE, f"{WORKSPACE}/onlineEndpoints/theirs"}


def test_down_can_be_run_again_after_half_of_it(cloud: Cloud) -> None:
    done = cloud.run(LEAVE, DROPTUNE_DOWN="yes", DROPTUNE_QUOTA_ROLE_ID="/subscriptions/s/role")
    assert done.returncode == 0, done.stdout + done.stderr


def test_down_stops_where_something_that_bills_cannot_be_deleted(cloud: Cloud) -> None:
    path = f"{WORKSPACE}/onlineEndpoints/acme-1"
    cloud.write(there={WORKSPACE: {}, **endpoint("acme-1", {"droptune": "acme"})}, refuse=[path])
    done = cloud.run(LEAVE, DROPTUNE_DOWN="yes")
    assert done.returncode == 1, "azd goes no further"
    assert "AuthorizationFailed" in done.stdout
    assert WORKSPACE in cloud.read()["there"]


def test_azure_yaml_names_hooks_that_are_there() -> None:
    import yaml

    said = yaml.safe_load((ROOT / "azure.yaml").read_text())
    assert set(said["hooks"]) == {"postdeploy", "predown"}
    service = said["services"]["app"]
    assert set(service.pop("hooks")) == {"prepackage"}
    said = yaml.safe_load((ROOT / "azure.yaml").read_text())
    for hook in [*said["hooks"].values(), *said["services"]["app"]["hooks"].values()]:
        for system, shell in (("posix", "sh"), ("windows", "pwsh")):
            assert hook[system]["shell"] == shell
            module = hook[system]["run"].partition(" -m ")[2]
            assert (ROOT / f"{module.replace('.', '/')}.py").is_file()
    assert service == {"project": ".", "dist": "build/package", "language": "python", "host": "function"}
    assert ROOT / service["dist"] == package.FOLDER
    assert (ROOT / said["infra"]["path"] / f"{said['infra']['module']}.bicep").is_file()
