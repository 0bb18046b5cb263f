"""ARM's rules: learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules."""

import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from infra import templates
from infra.templates import HERE

RULES = {
    "storageName": r"[a-z0-9]{3,24}",
    "workspaceStorageName": r"[a-z0-9]{3,24}",
    "workspaceName": r"[a-zA-Z0-9][a-zA-Z0-9_-]{2,32}",
    "registryName": r"[a-zA-Z0-9]{5,50}",
    "clusterName": r"[a-zA-Z](?!.*--)[a-zA-Z0-9-]{1,30}[a-zA-Z0-9]",
    "vaultName": r"[a-zA-Z](?!.*--)[a-zA-Z0-9-]{1,22}[a-zA-Z0-9]",
    "planName": r"[a-zA-Z0-9-]{1,60}",
    "name": r"[a-zA-Z0-9-]{2,60}",  # the function app
    "appIdentityName": r"[a-zA-Z0-9][a-zA-Z0-9_-]{2,127}",
    "trainingIdentityName": r"[a-zA-Z0-9][a-zA-Z0-9_-]{2,127}",
    "logsName": r"[a-zA-Z0-9][a-zA-Z0-9-]{2,61}[a-zA-Z0-9]",
    "appInsightsName": r"[^%&\\?/]{1,259}[^%&\\?/. ]",
    "workspaceInsightsName": r"[^%&\\?/]{1,259}[^%&\\?/. ]",
    "storageTopicName": r"[a-zA-Z0-9-]{3,50}",
    "workspaceTopicName": r"[a-zA-Z0-9-]{3,50}",
    "lifecycleTopicName": r"[a-zA-Z0-9-]{3,50}",
}
GROUP = r"[\w().-]{1,89}[\w()-]"  # of ASCII: azd takes no others
CONTAINER = r"(?!.*--)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]"
TOKENS = st.text("abcdefghijklmnopqrstuvwxyz234567", min_size=13, max_size=13)  # uniqueString's
ENVIRONMENTS = st.from_regex(r"[a-zA-Z0-9\-()_.]{1,64}", fullmatch=True)  # azd's own rule


def given_names() -> dict[str, str]:
    """Names as the template makes them where nothing is brought along, still with `${token}`."""
    variables = templates.read(HERE / "main.bicep")["variables"]
    found = {key: plain(variables[key]["value"]) for key in RULES if key in variables}
    for module, _, params in templates.modules(HERE / "main.bicep"):
        for key, said in params.items():
            if key in RULES and "${token}" in str(said) and (key != "name" or module == "app"):
                found[key] = said
    return found


def plain(said: Any) -> str:
    """A text, or that one of two which is made."""
    if isinstance(said, str):
        return said
    return next(one for one in said["operator"]["operands"].values() if "${token}" in str(one))


NAMES = given_names()
GROUP_NAME = templates.value(HERE / "main.bicep", "groupName")
MODULES = templates.read(HERE / "main.bicep")["modules"].values()
DEPLOYMENTS = [templates.body(one["config"])["name"] for one in MODULES]


@given(TOKENS)
def test_every_name_is_one_that_azure_takes(token: str) -> None:
    assert set(NAMES) == set(RULES)
    for key, name in NAMES.items():
        made = name.replace("${token}", token)
        assert "$" not in made
        assert re.fullmatch(RULES[key], made), (key, made)


@given(ENVIRONMENTS)
def test_any_environment_makes_a_resource_group(environment: str) -> None:
    made = GROUP_NAME.replace("${environmentName}", environment)
    assert re.fullmatch(GROUP, made, re.ASCII)


@given(TOKENS)
def test_every_deployment_has_a_name_of_its_own(token: str) -> None:
    names = [name.replace("${token}", token) for name in DEPLOYMENTS]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[\w().-]{1,64}", name) for name in names)


def test_containers_and_queues_have_names_that_storage_takes() -> None:
    storage = HERE / "modules/storage.bicep"
    for name in [*templates.value(storage, "containers"), *templates.value(storage, "queues")]:
        assert re.fullmatch(CONTAINER, name), name
