"""States between the beginning of an operation and its end: what a dead emulator left, how long, and what scales."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from azureml_box import compute_routes, registry_routes
from azureml_box.errors import Conflict
from azureml_box.provisioning import BUSY, Provisioning, must_rest
from azureml_box.schedules import Scheduler
from azureml_box.serving.deployments import _meanwhile
from azureml_box.serving.recovery import recover
from azureml_box.serving.service import DEPLOYMENTS, ENDPOINTS
from azureml_box.store import Store


@pytest.fixture
def box(tmp_path: Path) -> Any:
    async def remove(_key: str) -> None:
        """No process runs in these tests."""

    serving = SimpleNamespace(remove=remove, resume=lambda *_: None)
    return SimpleNamespace(store=Store(tmp_path / "s.sqlite"), serving=serving)


def put(box: Any, kind: str, name: str, state: str, **more: Any) -> None:
    doc = {"name": name, "properties": {"provisioningState": state, **more}, "_key": f"e/{name}"}
    box.store.put(kind, name, doc)


def states(box: Any, kind: str) -> dict[str, str]:
    return {doc["name"]: doc["properties"]["provisioningState"] for doc in box.store.list(kind)}


def test_after_a_kill_what_was_being_made_has_failed_and_what_was_being_deleted_is_gone(box: Any) -> None:
    for kind in (ENDPOINTS, "computes", "registries"):
        for state in (*BUSY, "Succeeded"):
            put(box, kind, state.lower(), state)
    compute_routes.fail_unfinished(box)
    registry_routes.fail_unfinished(box)
    asyncio.run(recover(box))
    expected = {state.lower(): "Failed" for state in BUSY if state != "Deleting"} | {"succeeded": "Succeeded"}
    for kind in (ENDPOINTS, "computes", "registries"):
        assert states(box, kind) == expected, kind


def test_after_a_kill_deployments_and_schedules_are_settled_too(box: Any) -> None:
    put(box, ENDPOINTS, "e", "Succeeded", traffic={"deleting": 0})
    for state in (*BUSY, "Succeeded"):
        doc = {"name": state.lower(), "properties": {"provisioningState": state}, "_key": f"e/{state.lower()}"}
        box.store.put(DEPLOYMENTS, doc["_key"], doc)
        schedule = {"provisioningState": state, "isEnabled": False, "trigger": {}}
        box.store.put(
            "schedules", state.lower(), {**doc, "properties": schedule, "_after": "2020-01-01T00:00:00+00:00"}
        )

    async def restart() -> None:
        await recover(box)
        scheduler = Scheduler(box)
        await scheduler.start()
        await scheduler.stop()

    asyncio.run(restart())
    expected = {state.lower(): "Failed" for state in BUSY if state != "Deleting"} | {"succeeded": "Succeeded"}
    assert states(box, DEPLOYMENTS) == states(box, "schedules") == expected
    assert all(doc["_after"] > "2026" for doc in box.store.list("schedules")), "missed firings are left out"


@pytest.mark.parametrize(
    ("state", "after"), [("Starting", "Running"), ("Stopping", "Stopped"), ("Restarting", "Running")]
)
def test_an_instance_that_was_moving_has_arrived(box: Any, state: str, after: str) -> None:
    put(box, "computes", "ci", "Succeeded", computeType="ComputeInstance", properties={"state": state})
    compute_routes.fail_unfinished(box)
    inner = box.store.get("computes", "ci")["properties"]["properties"]
    assert (inner["state"], inner["lastOperation"]["operationStatus"]) == (after, "Succeeded")


@pytest.mark.parametrize("state", BUSY)
def test_a_resource_in_between_refuses_another_operation(state: str) -> None:
    with pytest.raises(Conflict, match=state):
        must_rest("thing", {"name": "n", "properties": {"provisioningState": state}})
    must_rest("thing", {"name": "n", "properties": {"provisioningState": "Failed"}})
    must_rest("thing", None)


def test_a_deployment_scales_where_its_instances_alone_change() -> None:
    def made(capacity: int, **properties: Any) -> dict[str, Any]:
        return {
            "sku": {"capacity": capacity},
            "tags": {},
            "properties": {"provisioningState": "Succeeded", **properties},
        }

    assert _meanwhile(made(1), None) == "Creating"
    assert _meanwhile(made(2), made(1)) == "Scaling"
    assert _meanwhile(made(2, model="m:2"), made(1, model="m:1")) == "Updating"
    assert _meanwhile(made(1), made(1)) == "Updating"


def test_deletions_take_their_own_time_and_reads_let_any_kind_go_on() -> None:
    async def scene() -> tuple[float, float]:
        loop, took = asyncio.get_running_loop(), []
        provisioning = Provisioning({"endpoints": "timed"}, 0.001)
        for what in ("create", "delete"):
            began = loop.time()
            await provisioning.wait("endpoints", "e", what)
            took.append(loop.time() - began)
        for kind, path in (
            ("endpoints", "/x/workspaces/w/onlineEndpoints/n"),
            ("deployments", "/x/workspaces/w/onlineEndpoints/n/deployments/d"),
            ("schedules", "/x/workspaces/w/schedules/n"),
            ("registries", "/x/registries/n"),
        ):
            provisioning.choose(kind, "manual:2")
            name = "n/d" if kind == "deployments" else "n"
            waiting = asyncio.create_task(provisioning.wait(kind, name))
            await asyncio.sleep(0)
            provisioning.saw(path)
            await asyncio.sleep(0)
            assert not waiting.done(), kind
            provisioning.saw(path)
            await waiting
        return took[0], took[1]

    created, deleted = asyncio.run(scene())
    assert created >= 0.06 and deleted >= 0.12
