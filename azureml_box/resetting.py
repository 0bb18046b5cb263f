"""Starting afresh without a new process: `POST /_emulator/reset`."""

from __future__ import annotations

import asyncio
import shutil
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING

from azureml_box import lifetime
from azureml_box.config import Config
from azureml_box.errors import BadRequest
from azureml_box.store import Store

if TYPE_CHECKING:
    from azureml_box.context import Box

PARTS = ("faults", "calls", "provisioning", "unsupported", "state")
ONLY_NAMED = ("environments",)  # costly to build again, so a reset of everything leaves them
_KIND, _KEY = "emulator", "workspace"


async def reset(box: Box, parts: list[str]) -> None:
    """Forget the parts named.

    Raises:
        BadRequest: there is no such part.
    """
    for part in parts:
        if part not in (*PARTS, *ONLY_NAMED):
            raise BadRequest(f"There is no part {part!r}; known: {', '.join((*PARTS, *ONLY_NAMED))}.", target="only")
    light = {
        "faults": box.faults.clear,
        "calls": box.calls.clear,
        "provisioning": box.provisioning.restore,
        "unsupported": box.unsupported.clear,
    }
    for part in parts:
        if part in light:
            light[part]()
    if "state" in parts:
        await _forget_state(box)
    if "environments" in parts:
        await asyncio.to_thread(box.environments.forget)


def current(config: Config, store: Store) -> Config:
    """Return the config with the workspace's id as the last reset made it."""
    known = store.get(_KIND, _KEY)
    return replace(config, workspace_id=known["workspaceId"]) if known else config


def keep_workspace_id(box: Box) -> None:
    """Write the workspace's id into the store, so that a snapshot of it brings the id back."""
    box.store.put(_KIND, _KEY, {"workspaceId": box.config.workspace_id})


async def _forget_state(box: Box) -> None:
    """Empty workspace under a new id: clients keep names of anonymous assets by it, and would ask for what is gone."""
    await lifetime.stop_work(box)
    box.store.clear()
    for folder in ("jobs", "deployments"):
        await asyncio.to_thread(shutil.rmtree, box.config.home / folder, ignore_errors=True)
    box.store.put(_KIND, _KEY, {"workspaceId": str(uuid.uuid4())})
    box.config = current(box.config, box.store)
    lifetime.renew(box)
    await lifetime.start_work(box)
