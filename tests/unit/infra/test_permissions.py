import json
import re
from typing import Any, get_type_hints

from infra import templates
from infra.templates import HERE
from shared.azure import gateways as protocols
from shared.azure.permissions import CALLS, CLUSTER, FUNCTIONS, GIVEN, PEOPLE, STORAGE_TOPIC, WORKSPACE_TOPIC
from shared.azure.roles import GRANTS, NOT_GIVEN

IDENTITIES = {
    "appPrincipalId": FUNCTIONS,
    "trainingPrincipalId": CLUSTER,
    "storageTopicPrincipalId": STORAGE_TOPIC,
    "workspaceTopicPrincipalId": WORKSPACE_TOPIC,
    "principalId": PEOPLE,
}
PLACES = {
    ("roles-storage.bicep", "account"): "the storage account",
    ("roles-storage.bicep", "snapshots"): "the container snapshots",
    ("roles-deadletters.bicep", "deadletters"): "the container deadletters",
    ("roles-workspace.bicep", "workspace"): "the workspace",
    ("roles-workspace.bicep", "storage"): "the workspace's storage account",
    ("roles-workspace.bicep", "registry"): "the workspace's registry",
    ("roles-insights.bicep", "insights"): "Application Insights",
    ("topics.bicep", "lifecycleTopic"): "the lifecycle topic",
}
FILES = {path.name: path for path in templates.files()}
ROLES = json.loads((HERE / "roles.json").read_text())


def turns(file: str, symbol: str) -> list[dict[str, Any]]:
    """What a resource says, once for each turn of its loop: the item's name is replaced by the item."""
    said = templates.read(FILES[file])
    config = said["resources"][symbol]["config"]
    if "loop_type" not in config:
        return [templates.body(config)]
    detail = config["loop_type"]["detail"]
    items = said["variables"][detail["array_name"]]["value"]
    if isinstance(items, dict):  # a condition: what there is where it does not hold
        items = items["operator"]["operands"]["false_value"]
    return [replaced(templates.body(config), detail["item_name"], item) for item in items]


def replaced(said: Any, name: str, item: Any) -> Any:
    if isinstance(said, dict):
        operands = said.get("operator", {}).get("operands", {}) if isinstance(said.get("operator"), dict) else {}
        if operands.get("operand_1") == name and isinstance(item, dict):
            return item[operands["operand_2"]]
        return {key: replaced(value, name, item) for key, value in said.items()}
    if isinstance(said, list):
        return [replaced(one, name, item) for one in said]
    return item if said == name and isinstance(item, str) else said


def given() -> set[tuple[str, str, str]]:
    """Identity, role and place of every role assignment of the templates."""
    found = set()
    for one in templates.resources():
        if one.kind != "Microsoft.Authorization/roleAssignments":
            continue
        for body in turns(one.file, one.symbol):
            who = IDENTITIES[body["properties"]["principalId"]]
            names = [name for name in ROLES if f"'{name}'" in repr(body["properties"]["roleDefinitionId"])]
            role = names[0] if names else "droptune sizes and quota"
            found.add((who, role, place(one.file, body)))
    return found


def place(file: str, body: dict[str, Any]) -> str:
    if "scope" not in body:
        assert templates.read(FILES[file])["globals"]["scope"]["value"] == "subscription"
        return "the subscription"
    if isinstance(body["scope"], str):
        return PLACES[file, body["scope"]]
    texts = re.findall(r"'extra_string_1': '(\w+)'", repr(body["name"]))
    return f"the container {texts[0]}"


def test_the_page_says_what_the_templates_give_and_nothing_else() -> None:
    assert given() == {(one.identity, one.role, one.on) for one in GIVEN if one.by == "infra"}


def test_every_call_outside_has_a_grant() -> None:
    gateways = get_type_hints(protocols.Outside, vars(protocols) | {"Any": Any})
    calls = set()
    for gateway in ("blobs", "queue", "topics", "jobs", "models", "registry", "computes", "online", "inference"):
        protocol = getattr(protocols, gateway.capitalize())
        calls |= {f"{gateway}.{name}" for name in vars(protocol) if not name.startswith("_")}
    assert gateways
    assert set(CALLS) == calls
    assert set(CALLS.values()) == set(GRANTS)


def test_every_grant_is_given_or_says_why_not() -> None:
    app = {(one.role, one.on) for one in GIVEN if one.identity == FUNCTIONS}
    roles = {role for role, _ in app} | {"none", "a custom role with that permission"}
    for key, need in GRANTS.items():
        assert need.role in roles or key in NOT_GIVEN, key


def test_the_custom_role_holds_that_permission_alone() -> None:
    role = next(one for one in templates.resources() if one.kind.endswith("/roleDefinitions"))
    (permission,) = role.body["properties"]["permissions"]
    assert permission["actions"] == [GRANTS["locations"].permission]
    assert permission["dataActions"] == permission["notActions"] == []


def test_only_built_in_roles_that_are_given_are_listed() -> None:
    assert set(ROLES) == {role for _, role, _ in given()} - {"droptune sizes and quota"}
    assert all(re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", value) for value in ROLES.values())


def test_a_training_job_cannot_reach_keys_records_or_other_peoples_uploads() -> None:
    reached = {where for who, _, where in given() if who == CLUSTER}
    assert reached == {"the container snapshots", "the workspace's storage account", "the workspace's registry"}


def test_nobody_is_given_a_role_that_gives_roles() -> None:
    assert not {role for _, role, _ in given()} & {"Owner", "Contributor", "User Access Administrator"}
