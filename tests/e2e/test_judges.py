"""A judge of one's own and a base model's deployment, in a box: what they say stands in the report, and decides."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from box_client import TINY, Box, rows, running

pytestmark = [pytest.mark.e2e, pytest.mark.long]
BASE = "base-models"
SETTINGS = {"DROPTUNE_JUDGE": "tests.support.strict_judge:grade", "DROPTUNE_BASE_DEPLOYMENT": f"{BASE}/tiny"}
GATE = "[gate]\njudged_at_least = 0.5\n"


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    with running(tmp_path_factory.mktemp("judged") / "home", settings=SETTINGS) as box:
        _serve_the_base_model(box)
        yield box


def _serve_the_base_model(box: Box) -> None:
    """As an operator would: an endpoint of his own with the registry's model."""
    from azure.ai.ml import MLClient
    from azure.ai.ml.entities import ManagedOnlineDeployment, ManagedOnlineEndpoint
    from azure.identity import DefaultAzureCredential

    names = ("AZURE_SUBSCRIPTION_ID", "AZURE_RESOURCE_GROUP", "AZUREML_WORKSPACE_NAME")
    credential = DefaultAzureCredential()
    client = MLClient(credential, *(box.environment[name] for name in names))
    registry = MLClient(credential, registry_name=box.environment["AZUREML_REGISTRY_NAME"])
    model = registry.models.get("tiny-random-chat", label="latest")
    client.online_endpoints.begin_create_or_update(ManagedOnlineEndpoint(name=BASE, auth_mode="key")).result()
    deployment = ManagedOnlineDeployment(
        name="tiny", endpoint_name=BASE, model=model.id, instance_type="Standard_DS3_v2", instance_count=1
    )
    client.online_deployments.begin_create_or_update(deployment).result()


def _drop(box: Box, name: str, word: str) -> tuple[dict[str, Any], dict[str, Any]]:
    path = f"{name}/chats.jsonl"
    row = box.settled(path, box.drop(path, rows(24, word), TINY + GATE), 240)
    return row, box.report(path)


def test_what_the_judge_likes_goes_live_beside_the_base_models_answers(judged: Box) -> None:
    row, report = _drop(judged, "liked", "tea")
    assert row["state"] == "live", row["reason"]
    shown = report["evaluation"]
    assert shown["beside"] == f"base: {BASE}/tiny"
    assert (shown["new"]["judged"], shown["other"]["judged"]) == (0.9, 0.9)
    assert shown["comparison"]["rows"] == shown["rows"] > 0


def test_what_the_judge_dislikes_is_gated_out_with_its_grade(judged: Box) -> None:
    row, report = _drop(judged, "disliked", "coffee")
    assert row["state"] == "gated_out"
    assert "0.1" in row["reason"] and "0.5" in row["reason"]
    assert report["evaluation"]["new"]["judged"] == 0.1
