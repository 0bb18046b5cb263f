import json
import re
from dataclasses import fields

import pytest

from function_app import app
from infra import subscriptions, templates
from infra.templates import HERE
from shared.health import CONTAINERS
from shared.settings import Settings, read
from shared.training.base_model import split_reference
from shared.training.prices import HOURLY_USD

MAIN = HERE / "main.bicep"
FUNCTIONS = app.get_functions()  # once a process: a second call of the library's raises


def app_settings() -> dict[str, object]:
    settings: dict[str, object] = {}
    for name, _, given in templates.modules(MAIN):
        if name == "app":
            settings |= given["settings"]["function"]["parameters"]["arg_1"]
    settings |= templates.value(HERE / "modules/app.bicep", "hostSettings")
    return settings


def test_every_template_is_read() -> None:
    for path in templates.files():
        assert templates.read(path), path
    assert len(list(templates.resources())) > 40


def test_every_module_exists_and_gets_exactly_the_parameters_that_it_has() -> None:
    used = set()
    for name, path, given in templates.modules(MAIN):
        assert path.is_file(), name
        used.add(path)
        known = templates.read(path).get("parameters", {})
        needed = {key for key, said in known.items() if said["default"] is None}
        assert needed <= set(given) <= set(known), name
    assert used == set((HERE / "modules").glob("*.bicep"))


def test_every_output_that_is_used_is_given() -> None:
    text = MAIN.read_text()
    for name, path, _ in templates.modules(MAIN):
        for output in re.findall(rf"\b{name}\.outputs\.(\w+)", text):
            assert output in templates.read(path).get("outputs", {}), f"{name}.outputs.{output}"


def test_every_parameter_is_described() -> None:
    for path in templates.files():
        for name, said in templates.read(path).get("parameters", {}).items():
            assert any(one["type"] == "description" for one in said["decorators"]), f"{path.name}: {name}"


def test_the_parameters_of_azd_are_parameters_of_the_template() -> None:
    given = json.loads((HERE / "main.parameters.json").read_text())["parameters"]
    known = templates.read(MAIN)["parameters"]
    assert set(given) <= set(known)
    assert {key for key, said in known.items() if said["default"] is None} <= set(given)


def test_what_azd_gives_by_default_is_what_the_template_has_by_default() -> None:
    """A parameter with a default is asked of nobody, so only what the file maps can be set (azd, `ensureParameters`)."""
    given = json.loads((HERE / "main.parameters.json").read_text())["parameters"]
    known = templates.read(MAIN)["parameters"]
    assert set(known) - set(given) == {"thisMonth"}
    for name, said in given.items():
        variable, equals, default = re.fullmatch(r"\$\{(\w+)(=?)(.*)\}", said["value"]).groups()
        assert equals or variable in ("AZURE_ENV_NAME", "AZURE_LOCATION", "DROPTUNE_SETTINGS"), name
        if equals:
            expected = known[name]["default"]
            assert default == (str(expected).lower() if isinstance(expected, bool) else str(expected)), name


def test_an_azd_that_would_delete_what_was_brought_along_is_refused() -> None:
    assert 'azd: ">= 1.24.1"' in (HERE.parent / "azure.yaml").read_text()


def test_nothing_of_a_workspace_that_was_brought_along_is_taken_for_ours() -> None:
    for name in ("clusterName", "datastoreName"):
        operands = templates.value(MAIN, name)["operator"]["operands"]
        assert "${token}" in operands["false_value"], name


def test_the_cluster_is_left_out_where_azure_would_refuse_it() -> None:
    """ClusterMinNodesExceedCoreQuota: a dedicated cluster is held against the quota when it is made, even without nodes."""
    (given,) = [said for name, _, said in templates.modules(MAIN) if name == "training"]
    assert given["makeCluster"] == "hasQuota"
    said = templates.read(HERE / "modules/training.bicep")["resources"]["cluster"]["config"]
    assert said["condition"] == "makeCluster"


def test_roles_of_the_app_wait_for_no_topic_and_a_new_role_is_given_last() -> None:
    """What is given late is not known yet when it is needed: the package's upload, and Azure's own look at a new role."""
    text = MAIN.read_text()
    roles = text[text.index("module storageRoles") : text.index("module deadletterRoles")]
    assert "topics." not in roles
    given = text[text.index("module quotaAssignment") : text.index("module app ")]
    assert "dependsOn: [app, training]" in given


def test_a_budget_keeps_its_first_day_in_the_months_after() -> None:
    """What is put out comes back as the parameter: azd writes outputs into the environment that parameters are read from."""
    given = json.loads((HERE / "main.parameters.json").read_text())["parameters"]["budgetStart"]["value"]
    assert given == "${DROPTUNE_BUDGET_START=}"
    assert "output DROPTUNE_BUDGET_START string = firstDay" in MAIN.read_text()
    (start,) = [said["start"] for name, _, said in templates.modules(MAIN) if name == "spending"]
    assert start == "firstDay"


# What is off unless somebody wants it: no tokenizer, no judge, no deployment of the base model.
LEFT_OUT = {"DROPTUNE_TOKENIZER", "DROPTUNE_JUDGE", "DROPTUNE_BASE_DEPLOYMENT"}


def test_every_setting_that_the_code_needs_is_set() -> None:
    needed = {entry.metadata["name"] for entry in fields(Settings) if entry.default == ""} - LEFT_OUT
    assert "DROPTUNE_COMPUTE_IDENTITY" in needed
    assert needed <= set(app_settings())


def test_only_settings_that_the_code_reads_are_set() -> None:
    known = {entry.metadata["name"] for entry in fields(Settings)}
    known |= {
        name for name in app_settings() if str(name).startswith(("AzureWebJobsStorage__", "APPLICATIONINSIGHTS_"))
    }
    known.add("AZURE_CLIENT_ID")  # azure-identity: which of the app's identities
    assert set(app_settings()) <= known


def test_the_defaults_are_ones_that_the_code_takes() -> None:
    known = templates.read(MAIN)["parameters"]
    pairs = {
        "DROPTUNE_BASE_MODEL": "baseModel",
        "DROPTUNE_COMPUTE_SIZE": "computeSize",
        "DROPTUNE_COMPUTE_NODES": "computeNodes",
        "DROPTUNE_INSTANCE_TYPE": "instanceType",
        "DROPTUNE_MAX_COST_USD": "maxCostUsd",
        "DROPTUNE_IDLE_AFTER": "idleAfter",
        "DROPTUNE_PII": "personalData",
        "DROPTUNE_WEBHOOK_HOSTS": "webhookHosts",
    }
    defaults = {name: str(known[parameter]["default"]) for name, parameter in pairs.items()}
    taken = read(defaults)
    assert (taken.base_model, taken.compute_size) == (
        defaults["DROPTUNE_BASE_MODEL"],
        defaults["DROPTUNE_COMPUTE_SIZE"],
    )


def test_the_base_model_is_pinned_and_not_retired() -> None:
    name, version = split_reference(templates.read(MAIN)["parameters"]["baseModel"]["default"])
    assert (name, version) == ("Phi-4", "8")  # not archived: AZUREML_CONTRACT, section 2


@pytest.mark.parametrize("parameter", ["computeSize", "instanceType"])
def test_the_sizes_are_on_the_base_models_list_and_have_a_price(parameter: str) -> None:
    size = templates.read(MAIN)["parameters"][parameter]["default"].lower()
    assert re.fullmatch(r"standard_(nc\d+ads_a100|nd96a\w+)_v4|standard_(nc40ads|nc80adis|nd96isr)_h100_v5", size)
    assert size in HOURLY_USD


def test_containers_and_queues_are_those_of_the_code() -> None:
    storage = HERE / "modules/storage.bicep"
    queue = next(entry.default for entry in fields(Settings) if entry.name == "queue_name")
    ours = {"canary", "deadletters", "deployments"}  # doctor's, Event Grid's, the package's
    assert set(templates.value(storage, "containers")) == {*CONTAINERS, *ours}
    assert templates.value(storage, "queues") == [queue, f"{queue}-poison"]
    assert app_settings()["DROPTUNE_QUEUE"] == queue


def test_the_lifecycle_rules_are_about_containers_that_are_made() -> None:
    storage = HERE / "modules/storage.bicep"
    for rule in templates.value(storage, "agingOut"):
        assert rule["prefix"].removesuffix("/") in templates.value(storage, "containers")


def test_the_file_of_subscriptions_is_what_the_code_says() -> None:
    assert subscriptions.FILE.read_text() == subscriptions.text(), "python -m infra.subscriptions"


def test_every_function_that_an_event_needs_exists_and_takes_events() -> None:
    triggers = {one.get_function_name(): one.get_trigger().type for one in FUNCTIONS}
    called = {one["function"] for topic in subscriptions.wanted().values() for one in topic}
    assert {triggers.get(name) for name in called} == {"eventGridTrigger"}
    assert called == {name for name, kind in triggers.items() if kind == "eventGridTrigger"}


def test_nothing_takes_keys_where_identities_do() -> None:
    for found in templates.resources():
        if found.kind == "Microsoft.Storage/storageAccounts" and not found.existing:
            assert found.body["properties"]["allowSharedKeyAccess"] is False
            assert found.body["properties"]["isHnsEnabled"] is False  # index tags
        if found.kind == "Microsoft.ContainerRegistry/registries" and not found.existing:
            assert found.body["properties"]["adminUserEnabled"] is False
        if found.kind == "Microsoft.EventGrid/topics":
            assert found.body["properties"]["disableLocalAuth"] is True
    assert not [name for name in app_settings() if re.search("key|secret|password", str(name), re.IGNORECASE)]
    assert "AzureWebJobsStorage" not in app_settings()


def test_the_app_says_nothing_that_flex_consumption_refuses() -> None:
    """Types allow more than the plan: microsoft/azure-pipelines-tasks issues 21032 and 22254 quote the refusals."""
    (site,) = [found.body for found in templates.resources() if found.kind == "Microsoft.Web/sites"]
    said = set(site["properties"]["siteConfig"])
    refused = {"ftpsState", "use32BitWorkerProcess", "netFrameworkVersion", "functionsRuntimeScaleMonitoringEnabled"}
    refused |= {"functionAppScaleLimit", "alwaysOn", "linuxFxVersion", "preWarmedInstanceCount"}
    assert not said & refused
    assert site["properties"]["functionAppConfig"]["runtime"] == {"name": "python", "version": "3.11"}
    assert not {"FUNCTIONS_WORKER_RUNTIME", "WEBSITE_RUN_FROM_PACKAGE"} & set(app_settings())


def test_the_cluster_and_the_datastore_run_by_identity_and_cost_nothing_at_rest() -> None:
    made = {found.symbol: found.body for found in templates.resources() if found.file == "training.bicep"}
    assert made["cluster"]["properties"]["properties"]["scaleSettings"]["minNodeCount"] == 0
    assert made["cluster"]["identity"]["type"] == "UserAssigned"
    assert made["snapshots"]["properties"]["credentials"] == {"credentialsType": "None"}


def test_everything_that_can_bear_tags_does() -> None:
    without = {
        "roleAssignments",
        "roleDefinitions",
        "budgets",
        "eventSubscriptions",
        "managementPolicies",
        "datastores",
    }
    without |= {"basicPublishingCredentialsPolicies", "containers", "queues", "blobServices"}
    for found in templates.resources():
        if not found.existing and found.kind.rsplit("/", 1)[-1] not in without:
            assert "tags" in found.body, f"{found.file}: {found.symbol}"


def test_roles_are_given_by_names_that_come_out_the_same_each_time() -> None:
    for found in templates.resources():
        if found.kind == "Microsoft.Authorization/roleAssignments":
            assert found.body["name"]["function"]["type"] == "guid", f"{found.file}: {found.symbol}"
