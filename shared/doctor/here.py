"""What the command finds, asked as whoever runs it: storage, clock, whether events arrive and are subscribed to."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from shared import canary
from shared.azure import arm
from shared.azure.blobs import Container
from shared.doctor import identity, mends
from shared.doctor.findings import LIMIT_SECONDS, Finding, examined, ok, warning, wrong
from shared.doctor.stores import clock_skew
from shared.errors import DeniedError
from shared.settings import settings

EVENTS_API = "2025-02-15"
STORAGE_EVENTS, WORKSPACE_EVENTS = ("dataset_uploaded", "canary"), ("job_changed",)
PEOPLES_CONTAINERS = ("datasets", "access", "canary")


@dataclass(frozen=True)
class Names:
    """What only those know who made the environment; empty where they do not say (the box)."""

    storage_topic: str = ""
    workspace_topic: str = ""
    storage_id: str = "STORAGE-ACCOUNT-ID"


def findings(app_is_up: bool, seconds: float, names: Names) -> list[Finding]:
    """All of it; events are awaited for so many `seconds`, and only where the app that answers them is up."""
    said: dict[str, Any] = {}
    found = [examined("you", lambda: _you(said), "az login")]
    if found[0].status != "ok":
        return found
    found.append(examined("your storage", lambda: _storage(said, names.storage_id)))
    if found[1].status != "ok":
        return found
    found.append(examined("your clock", lambda: clock_skew("your clock")))
    if app_is_up:
        found.append(examined("events", lambda: _events(seconds), seconds=seconds + LIMIT_SECONDS))
    wanted = ((names.storage_topic, STORAGE_EVENTS), (names.workspace_topic, WORKSPACE_EVENTS))
    return found + [_subscriptions(topic, functions) for topic, functions in wanted if topic]


def unsubscribed(listed: list[dict[str, Any]], functions: tuple[str, ...]) -> list[str]:
    """The functions that none of a topic's working subscriptions calls.

    >>> unsubscribed([], ("canary",))
    ['canary']
    """
    called = set()
    for one in listed:
        said = one.get("properties") or {}
        place = ((said.get("destination") or {}).get("properties") or {}).get("resourceId") or ""
        if str(said.get("provisioningState")).lower() == "succeeded":
            called.add(str(place).rsplit("/functions/", 1)[-1])
    return [name for name in functions if name not in called]


def _you(said: dict[str, Any]) -> str:
    said.update(identity.who())
    return identity.told(said)


def _storage(said: dict[str, Any], account: str) -> str | Finding:
    path = f"doctor-{uuid.uuid4().hex}"
    for name in PEOPLES_CONTAINERS:
        try:
            Container(name).list("doctor-")
            if name == "canary":
                Container(name).write(path, b"")
                Container(name).delete(path)
        except DeniedError as error:
            return wrong("your storage", error.reason, _give(account, name, identity.assignee(said)))
    return f"you may use {', '.join(PEOPLES_CONTAINERS)}"


def _give(account: str, container: str, assignee: str) -> str:
    scope = f"{account}/blobServices/default/containers/{container}"
    who = assignee or "--assignee YOU"
    return f"az role assignment create {who} --role 'Storage Blob Data Contributor' --scope {scope}"


def _events(seconds: float) -> Finding:
    took = canary.await_event(canary.drop(), seconds)
    if took is None:
        return wrong("events", f"the event of a blob did not arrive within {seconds:.0f} s", mends.SUBSCRIBE)
    return ok("events", f"a blob's event called its function after {took:.1f} s")


def _subscriptions(topic: str, functions: tuple[str, ...]) -> Finding:
    name = f"topic {topic}"
    return examined(name, lambda: _subscribed(name, topic, functions))


def _subscribed(name: str, topic: str, functions: tuple[str, ...]) -> Finding:
    place = f"/subscriptions/{settings().subscription_id}/resourceGroups/{settings().resource_group}"
    path = f"{place}/providers/Microsoft.EventGrid/systemTopics/{topic}/eventSubscriptions"
    try:
        absent = unsubscribed(list(arm.pages(path, version=EVENTS_API)), functions)
    except DeniedError as error:
        return warning(name, f"not looked at: {error.reason}", "let an owner of the resource group run droptune doctor")
    if absent:
        return wrong(name, f"nothing calls {', '.join(absent)}", mends.SUBSCRIBE)
    return ok(name, f"{', '.join(functions)} are called")
