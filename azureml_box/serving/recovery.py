"""What a restart of the emulator does to endpoints and deployments that it finds in its store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from azureml_box.provisioning import BUSY
from azureml_box.serving import billing
from azureml_box.serving.launch import Launch
from azureml_box.serving.service import DEPLOYMENTS, ENDPOINTS

if TYPE_CHECKING:
    from azureml_box.context import Box


async def recover(box: Box) -> None:
    """Deletions are finished, unfinished creations have failed, and what served is served again."""
    for doc in box.store.list(ENDPOINTS):
        if doc["properties"]["provisioningState"] == "Deleting":
            for deployment in box.store.list(DEPLOYMENTS, f"{doc['name']}/"):
                await forget(box, f"{doc['name']}/{deployment['name']}")
            box.store.delete(ENDPOINTS, doc["name"])
        elif doc["properties"]["provisioningState"] in BUSY:
            doc["properties"]["provisioningState"] = "Failed"
            box.store.put(ENDPOINTS, doc["name"], doc)
    for doc in box.store.list(DEPLOYMENTS):
        await _recover(box, doc["_key"], doc)


async def forget(box: Box, key: str) -> None:
    """A deployment with its process, its bill's end, its share of the traffic and its document."""
    await box.serving.remove(key)
    endpoint, _, name = key.partition("/")
    billing.end(box.store, endpoint, name)
    doc = box.store.get(ENDPOINTS, endpoint)
    if doc is not None:
        for shares in ("traffic", "mirrorTraffic"):
            doc["properties"][shares] = {k: v for k, v in (doc["properties"].get(shares) or {}).items() if k != name}
        box.store.put(ENDPOINTS, endpoint, doc)
    box.store.delete(DEPLOYMENTS, key)


async def _recover(box: Box, key: str, doc: dict[str, Any]) -> None:
    state = doc["properties"]["provisioningState"]
    if state == "Deleting":
        await forget(box, key)
        return
    if state in BUSY:
        doc["properties"]["provisioningState"] = "Failed"
        box.store.put(DEPLOYMENTS, key, doc)
    if doc.get("_live"):
        box.serving.resume(key, Launch(**doc["_live"]))
