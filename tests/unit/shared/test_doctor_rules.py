import base64
import json
import time
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.doctor import for_the_box
from infra import subscriptions
from shared.azure import roles
from shared.azure.roles import GRANTS
from shared.doctor import access, here, mends
from shared.doctor.findings import examined, together
from shared.doctor.identity import assignee, claims, told
from shared.doctor.region import retired_on
from shared.errors import DeniedError, TransientError, UserError
from shared.settings import read

TODAY = date(2026, 11, 29)


def jwt(said: Any) -> str:
    body = base64.urlsafe_b64encode(json.dumps(said).encode()).rstrip(b"=").decode()
    return f"e30.{body}.c2ln"


def test_every_grant_is_tried_but_the_one_that_nobody_is_given_and_the_one_that_is_a_key() -> None:
    assert set(access.PROBES) == set(GRANTS) - {"clusters", "scoring"}


def test_each_topics_functions_are_those_that_infra_subscribes() -> None:
    wanted = {topic: {one["function"] for one in all_of} for topic, all_of in subscriptions.wanted().items()}
    assert set(here.STORAGE_EVENTS) == wanted["storage"]
    assert set(here.WORKSPACE_EVENTS) == wanted["workspace"]


@given(st.text())
def test_any_text_can_be_held_for_a_token(text: str) -> None:
    assert isinstance(claims(text), dict)


@given(st.dictionaries(st.text(), st.text()))
def test_the_claims_of_a_token_are_read(said: dict[str, str]) -> None:
    assert claims(jwt(said)) == said


def test_the_command_names_who_asked() -> None:
    said = claims(jwt({"oid": "o-1", "appid": "a-1", "tid": "t-1", "idtyp": "app"}))
    assert assignee(said) == "--assignee-object-id o-1 --assignee-principal-type ServicePrincipal"
    assert (
        assignee({"oid": "o-2", "upn": "ada@example.com"}) == "--assignee-object-id o-2 --assignee-principal-type User"
    )
    assert assignee({}) == ""
    assert told(said) == "a-1, object id o-1, tenant t-1"


@pytest.mark.parametrize("name", sorted(GRANTS))
def test_every_grant_has_a_command_without_a_gap(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = read(
        {
            "AZURE_SUBSCRIPTION_ID": "s",
            "AZURE_RESOURCE_GROUP": "rg",
            "AZUREML_WORKSPACE_NAME": "mlw",
            "AZURE_STORAGE_ACCOUNT_URL": "https://stx.blob.core.windows.net",
            "DROPTUNE_EVENTS_ENDPOINT": "https://evgt.eastus-1.eventgrid.azure.net/api/events",
        }
    )
    monkeypatch.setattr(roles, "settings", lambda: chosen)
    command = roles.command(name, "--assignee-object-id o --assignee-principal-type ServicePrincipal")
    if GRANTS[name].on == "subscription":
        assert command == mends.PROVISION
        return
    assert command.startswith("az role assignment create --assignee-object-id o ")
    assert f"--role '{GRANTS[name].role}'" in command
    scope = command.partition("--scope ")[2]
    assert scope.startswith(("/subscriptions/s/", '"$(az ')), scope


@pytest.mark.parametrize(
    ("tags", "day"),
    [
        ({"RetirementDate": "2025-08-30"}, date(2025, 8, 30)),
        ({"finetuneRetirementDate": "2026-12-01", "InferenceRetirementDate": "2026-01-01T00:00:00Z"}, date(2026, 1, 1)),
        ({"DeprecationDate": "2020-01-01"}, None),
        ({"RetirementDate": "2026-11-30"}, None),
        ({"RetirementDate": ""}, None),
    ],
)
def test_a_model_is_retired_from_the_day_that_its_tags_say(tags: dict[str, str], day: date | None) -> None:
    assert retired_on(tags, TODAY) == day


@given(st.dictionaries(st.sampled_from(["RetirementDate", "task"]), st.text()))
def test_any_tag_can_be_read(tags: dict[str, str]) -> None:
    found = retired_on(tags, TODAY)
    assert found is None or found <= TODAY


@pytest.mark.parametrize(
    ("error", "told_of", "mend"),
    [
        (DeniedError("no", "az login", 403), "no", "az login"),
        (UserError("bad"), "bad", "the mend"),
        (TransientError("away"), "cannot be reached: away", "the mend"),
        (ZeroDivisionError("division\nby zero"), "ZeroDivisionError: division", "the mend"),
    ],
)
def test_an_error_is_a_finding(error: Exception, told_of: str, mend: str) -> None:
    def look() -> str:
        raise error

    found = examined("x", look, "the mend")
    assert (found.status, found.told, found.mend) == ("wrong", told_of, mend)


def test_silence_is_a_finding_and_keeps_nobody_waiting() -> None:
    began = time.monotonic()
    found = examined("x", lambda: time.sleep(5) or "late", "the mend", seconds=0.1)
    assert (found.status, found.mend) == ("wrong", "the mend")
    assert time.monotonic() - began < 3


def test_checks_go_side_by_side_and_come_back_in_order() -> None:
    def slow(name: str) -> str:
        time.sleep(0.2)
        return name

    began = time.monotonic()
    found = together([(str(number), lambda number=number: slow(str(number)), "") for number in range(10)])  # type: ignore[misc]
    assert [one.told for one in found] == [str(number) for number in range(10)]
    assert time.monotonic() - began < 1.5


def subscription(function: str, state: str = "Succeeded") -> dict[str, Any]:
    # learn.microsoft.com/rest/api/eventgrid/controlplane/system-topic-event-subscriptions/list-by-system-topic
    place = f"/subscriptions/s/resourceGroups/rg/providers/Microsoft.Web/sites/func/functions/{function}"
    destination = {"endpointType": "AzureFunction", "properties": {"resourceId": place, "maxEventsPerBatch": 1}}
    return {"name": function, "properties": {"destination": destination, "provisioningState": state}}


def test_a_function_that_no_working_subscription_calls_is_named() -> None:
    wanted = ("dataset_uploaded", "canary")
    assert here.unsubscribed([subscription("dataset_uploaded"), subscription("canary")], wanted) == []
    assert here.unsubscribed([subscription("dataset_uploaded"), subscription("canary", "Failed")], wanted) == ["canary"]
    assert here.unsubscribed([{"properties": {"destination": None}}], wanted) == list(wanted)


@pytest.mark.parametrize("mend", [mends.PROVISION, mends.DEPLOY, mends.SUBSCRIBE, mends.setting("A", "b"), "az login"])
def test_the_box_is_never_told_to_use_azures_tools(mend: str) -> None:
    assert for_the_box(mend).startswith("droptune box ")
