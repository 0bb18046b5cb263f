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
from infra.hooks.az import AzError, gone

ROOT = Path(__file__).parents[3]
GROUP = "/subscriptions/s/resourceGroups/rg"
WORKSPACE = f"{GROUP}/providers/Microsoft.MachineLearningServices/workspaces/mlw"
APP = f"{GROUP}/providers/Microsoft.Web/sites/func"
VAULT = f"{GROUP}/providers/Microsoft.KeyVault/vaults/kv"
HIDDEN = "/subscriptions/s/providers/Microsoft.KeyVault/locations/eastus/deletedVaults/kv"
REGION = "/subscriptions/s/providers/Microsoft.MachineLearningServices/locations/eastus"
# As `az rest` tells of a refusal (azure-cli-core, util.send_raw_request): the reason, then the body.
AZ = """#!{python}
import json, os, sys
words = sys.argv[1:]
state = json.load(open(os.environ["FAKE_AZ"]))
state["calls"].append(words)
answer, code = None, 0

def refuse(reason, name):
    global code
    code = 1
    body = json.dumps({{"error": {{"code": name, "message": "told by the stand-in"}}}})
    sys.stderr.write(f"ERROR: {{reason}}({{body}})")

if words[0] == "rest":
    method, url = words[words.index("--method") + 1], words[words.index("--url") + 1]
    url = url.replace("https://management.azure.com", "")
    assert "?" not in url and "&" not in url, "a batch file would end its line there"
    asked = dict(word.split("=", 1) for word in words[words.index("--uri-parameters") + 1 : words.index("--only-show-errors")])
    assert asked["api-version"]
    missing = "RoleDefinitionDoesNotExist" if "/roleDefinitions/" in url else "ResourceNotFound"
    below = [v for k, v in state["there"].items() if k.startswith(url + "/") and k.count("/") == url.count("/") + 1]
    if method == "delete":
        if url in state["refuse"]:
            refuse("Forbidden", "AuthorizationFailed")
        elif state["busy"].get(url):
            state["busy"][url] -= 1
            refuse("Bad Request", "RoleDefinitionHasAssignments")
        elif url not in state["there"]:
            refuse("Not Found", missing)
        else:
            state["there"] = {{key: value for key, value in state["there"].items() if not key.startswith(url)}}
            if "/vaults/" in url:
                state["there"]["/subscriptions/s/providers/Microsoft.KeyVault/locations/eastus/deletedVaults/kv"] = {{}}
    elif method == "post":
        del state["there"][url.removesuffix("/purge")]
    elif url in state["lists"]:
        start = int(asked.get("$skip", 0))
        pages = state["lists"][url]
        answer = {{"value": pages[start]}}
        if start + 1 < len(pages):
            answer["nextLink"] = f"https://management.azure.com{{url}}?api-version=1&$skip={{start + 1}}"
    elif url.endswith(("/onlineEndpoints", "/functions")):
        answer = {{"value": below}}
    elif url in state["there"]:
        answer = state["there"][url]
    else:
        refuse("Not Found", missing)
elif " ".join(words[:2]) in state["refuse"]:
    if state["refuse"].count(" ".join(words[:2])) > state["tried"]:
        state["tried"] += 1
        refuse("Bad Request", "Url validation")
json.dump(state, open(os.environ["FAKE_AZ"], "w"))
if answer is not None:
    print(json.dumps(answer))
sys.exit(code)
"""
AZD = """#!{python}
import json, os, sys
state = json.load(open(os.environ["FAKE_AZ"]))
state["remembered"][sys.argv[3]] = sys.argv[4]
json.dump(state, open(os.environ["FAKE_AZ"], "w"))
"""


class Cloud:
    def __init__(self, folder: Path) -> None:
        self.state, self.bin = folder / "state.json", folder / "bin"
        self.bin.mkdir()
        for name, text in (("az", AZ), ("azd", AZD)):
            program = self.bin / name
            program.write_text(text.format(python=sys.executable))
            program.chmod(program.stat().st_mode | stat.S_IXUSR)
        self.write(calls=[], there={}, refuse=[], busy={}, lists={}, tried=0, remembered={})

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
            "AZURE_LOCATION": "eastus",
            "AZUREML_WORKSPACE_NAME": "mlw",
            "DROPTUNE_APP_ID": APP,
            "DROPTUNE_STORAGE_TOPIC": "evgst-storage",
            "DROPTUNE_WORKSPACE_TOPIC": "evgst-workspace",
            "DROPTUNE_STORAGE_ID": f"{GROUP}/providers/Microsoft.Storage/storageAccounts/st",
            **settings,
        }
        environment = {name: value for name, value in environment.items() if value}
        # -S: no site-packages, as on a machine where nothing of ours is installed.
        command = [sys.executable, "-S", "-c", code]
        return subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL
        )


PREPARE = "import sys; from infra.hooks.prepare import main; sys.exit(main())"
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
    assert names == ["acme-1", "other", "mlw", "kv"]
    assert [words for words in cloud.read()["calls"] if "forceToPurge=true" in words]


@pytest.mark.parametrize("left", [{VAULT: {}}, {HIDDEN: {}}, {}])
def test_down_purges_the_vault_from_wherever_an_earlier_try_ended(cloud: Cloud, left: dict[str, Any]) -> None:
    cloud.write(there=left)
    done = cloud.run(LEAVE, DROPTUNE_DOWN="yes", DROPTUNE_VAULT_NAME="kv")
    assert done.returncode == 0, done.stdout + done.stderr
    assert cloud.read()["there"] == {}


def test_down_says_what_goes_before_anything_goes(cloud: Cloud) -> None:
    cloud.write(there={WORKSPACE: {}, **endpoint("acme-1", {"droptune": "acme"})})
    done = cloud.run(LEAVE)
    assert done.returncode == 1, "nobody agreed"
    assert "endpoint acme-1" in done.stdout
    assert "workspace mlw, purged" in done.stdout
    assert deleted(cloud) == []


def test_down_leaves_what_was_brought_along(cloud: Cloud) -> None:
    theirs = {WORKSPACE: {}, f"{WORKSPACE}/computes/gpu-cluster": {}, f"{WORKSPACE}/datastores/snapshots": {}}
    theirs |= endpoint("theirs", {"team": "x"})
    ours = {f"{WORKSPACE}/computes/gpu-t": {}, f"{WORKSPACE}/datastores/snapshots_t": {}}
    cloud.write(there={**theirs, **ours, **endpoint("ours", {"droptune": "acme"})})
    names = {"DROPTUNE_CLUSTER": "gpu-t", "DROPTUNE_DATASTORE": "snapshots_t"}
    done = cloud.run(LEAVE, DROPTUNE_DOWN="yes", DROPTUNE_OWNS_WORKSPACE="false", **names)
    assert done.returncode == 0, done.stdout + done.stderr
    assert set(cloud.read()["there"]) == set(theirs)


ROLES = "/subscriptions/s/providers/Microsoft.Authorization"


def test_down_can_be_run_again_after_half_of_it(cloud: Cloud) -> None:
    done = cloud.run(LEAVE, DROPTUNE_DOWN="yes", DROPTUNE_QUOTA_ROLE_ID=f"{ROLES}/roleDefinitions/r")
    assert done.returncode == 0, done.stdout + done.stderr


def test_down_sees_that_the_role_is_gone_though_its_assignment_lingers_a_while(cloud: Cloud) -> None:
    role = f"{ROLES}/roleDefinitions/r"
    cloud.write(there={role: {}}, busy={role: 2})
    done = cloud.run(LEAVE, DROPTUNE_DOWN="yes", DROPTUNE_QUOTA_ROLE_ID=role)
    assert done.returncode == 0, done.stdout + done.stderr
    assert cloud.read()["there"] == {}


def test_a_subscription_that_cannot_be_seen_is_not_taken_for_nothing_left() -> None:
    refused = 'Not Found({"error": {"code": "SubscriptionNotFound"}})'
    assert not gone(AzError(refused))
    assert gone(AzError(refused.replace("Subscription", "DeletedVault")))


FAILED_UP = {"AZUREML_WORKSPACE_NAME": "", "AZURE_RESOURCE_GROUP": "", "AZURE_ENV_NAME": "acme"}
LEFT = "/subscriptions/s/resourceGroups/rg-acme-droptune"


def test_down_finds_what_a_first_provision_left_that_failed(cloud: Cloud) -> None:
    token, ml = "abcdefghij234", f"{LEFT}/providers/Microsoft.MachineLearningServices/workspaces"
    vault = f"{LEFT}/providers/Microsoft.KeyVault/vaults/kv"
    role, given = f"{ROLES}/roleDefinitions/r", f"{ROLES}/roleAssignments/a"
    of_ours = {"id": role, "name": "r", "properties": {"roleName": f"droptune sizes and quota ({token})"}}
    of_others = {"id": f"{ROLES}/roleDefinitions/x", "name": "x", "properties": {"roleName": "theirs"}}
    cloud.write(
        there={f"{ml}/mlw-{token}": {}, vault: {}, role: {}, given: {}},
        lists={
            f"{LEFT}/resources": [
                [
                    {
                        "id": f"{ml}/mlw-{token}",
                        "name": f"mlw-{token}",
                        "type": "Microsoft.MachineLearningServices/workspaces",
                    }
                ],
                [{"id": vault, "name": f"kv-{token}", "type": "Microsoft.KeyVault/vaults"}],
            ],
            f"{ROLES}/roleDefinitions": [[of_others], [of_ours]],
            f"{ROLES}/roleAssignments": [
                [
                    {"id": given, "properties": {"roleDefinitionId": role}},
                    {"id": "theirs", "properties": {"roleDefinitionId": "x"}},
                ]
            ],
        },
    )
    done = cloud.run(LEAVE, DROPTUNE_DOWN="yes", **FAILED_UP)
    assert done.returncode == 0, done.stdout + done.stderr
    assert cloud.read()["there"] == {}


def test_down_does_not_stand_in_the_way_where_nothing_was_made(cloud: Cloud) -> None:
    done = cloud.run(LEAVE, **FAILED_UP)
    assert done.returncode == 0, done.stdout + done.stderr
    assert deleted(cloud) == []


def test_down_lists_endpoints_page_by_page(cloud: Cloud) -> None:
    path = f"{WORKSPACE}/onlineEndpoints"
    cloud.write(lists={path: [[{"id": f"{path}/a", "tags": {}}], [{"id": f"{path}/b", "tags": {}}]]})
    done = cloud.run(LEAVE)
    assert "endpoint a" in done.stdout
    assert "endpoint b" in done.stdout


SIZES = [[{"name": "Standard_NC24ads_A100_v4", "family": "standardNCADSA100v4Family", "vCPUs": 24}]]


def quota(limit: int, family: str = "Standard NCADSA100v4 Family Cluster Dedicated vCPUs") -> list[dict[str, Any]]:
    of_a_workspace = {"id": "/x/workspaces/w/usages", "name": {"value": family}, "limit": 0}
    return [{"id": "u", "name": {"value": family}, "limit": limit, "currentValue": 0}, of_a_workspace]


@pytest.mark.parametrize(
    ("usages", "before", "remembered"),
    [
        ([quota(0)], "", {"DROPTUNE_HAS_QUOTA": "false"}),
        ([quota(23)], "true", {"DROPTUNE_HAS_QUOTA": "false"}),
        ([quota(24), quota(0, "TotalDedicatedCores")], "", {"DROPTUNE_HAS_QUOTA": "false"}),
        ([quota(0)], "false", {}),
        ([quota(24)], "", {}),
        ([quota(-1)], "", {}),
        ([quota(24)], "false", {"DROPTUNE_HAS_QUOTA": "true"}),
        ([quota(0, "standardDSv2Family")], "", {}),
    ],
)
def test_a_cluster_that_azure_would_refuse_is_left_out(
    cloud: Cloud, usages: list[Any], before: str, remembered: dict[str, str]
) -> None:
    cloud.write(lists={f"{REGION}/vmSizes": SIZES, f"{REGION}/usages": usages})
    done = cloud.run(PREPARE, DROPTUNE_HAS_QUOTA=before)
    assert done.returncode == 0, done.stdout + done.stderr
    assert cloud.read()["remembered"] == remembered
    assert ("left out" in done.stdout) == (remembered.get("DROPTUNE_HAS_QUOTA", before) == "false")


def test_a_size_that_the_region_does_not_offer_is_left_out(cloud: Cloud) -> None:
    cloud.write(lists={f"{REGION}/vmSizes": SIZES, f"{REGION}/usages": [quota(100)]})
    done = cloud.run(PREPARE, DROPTUNE_COMPUTE_SIZE="Standard_ND40rs_v2")
    assert "offers no Standard_ND40rs_v2" in done.stdout
    assert cloud.read()["remembered"] == {"DROPTUNE_HAS_QUOTA": "false"}


def test_before_provisioning_providers_are_registered_that_no_template_names(cloud: Cloud) -> None:
    assert cloud.run(PREPARE).returncode == 0, "quota cannot be seen: that stops nobody"
    registered = [words[words.index("--namespace") + 1] for words in cloud.read()["calls"] if words[0] == "provider"]
    assert registered == [
        "Microsoft.MachineLearningServices",
        "Microsoft.Insights",
        "Microsoft.PolicyInsights",
        "Microsoft.Cdn",
    ]


def test_without_the_cli_nothing_is_provisioned(cloud: Cloud) -> None:
    (cloud.bin / "az").unlink()
    done = cloud.run(PREPARE, PATH=str(cloud.bin))
    assert done.returncode == 1, "the hook after deploying would fail, when all is made"
    assert "aka.ms/azure-cli" in done.stdout


def test_subscriptions_are_tried_again_while_event_grid_is_not_served(cloud: Cloud) -> None:
    cloud.write(there=functions("dataset_uploaded", "job_changed", "canary"), refuse=["deployment group"] * 2)
    done = cloud.run(SUBSCRIBE)
    assert done.returncode == 0, done.stdout + done.stderr
    assert sum(words[0] == "deployment" for words in cloud.read()["calls"]) == 3


def test_subscriptions_that_are_refused_for_good_say_what_mends_it(cloud: Cloud) -> None:
    cloud.write(there=functions("dataset_uploaded", "job_changed", "canary"), refuse=["deployment group"] * 9)
    done = cloud.run(SUBSCRIBE)
    assert done.returncode == 1
    assert "azd hooks run postdeploy" in done.stdout


def test_a_command_that_never_answers_is_an_error_like_others(cloud: Cloud) -> None:
    (cloud.bin / "az").write_text(f"#!{sys.executable}\nimport time; time.sleep(60)")
    code = "from infra.hooks.az import AzError, az\ntry:\n    az('x', timeout=0.5)\nexcept AzError as error:\n    print(error)"
    assert "no answer within" in cloud.run(code).stdout


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
    assert set(said["hooks"]) == {"preprovision", "postdeploy", "predown"}
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
