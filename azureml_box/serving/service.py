"""Owns the deployments' processes: started with the emulator, replaced by updates, ended with it."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from azureml_box.serving.keeper import Keeper
from azureml_box.serving.launch import Launch
from azureml_box.serving.metrics import EndpointMetrics

if TYPE_CHECKING:
    from azureml_box.context import Box

ENDPOINTS, DEPLOYMENTS = "onlineEndpoints", "onlineDeployments"
_FLUSH_EVERY = 0.5


class Serving:
    """Keepers by `endpoint/deployment`, the work under way on each, and the metrics."""

    def __init__(self, box: Box) -> None:
        self._box = box
        self.metrics = EndpointMetrics(box.store)
        self.keepers: dict[str, Keeper] = {}
        self._work: dict[str, asyncio.Task[None]] = {}
        self._flusher: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Bring back what served before the emulator's restart, and finish what was being deleted."""
        self.metrics.load(datetime.now(UTC))
        self._flusher = asyncio.create_task(self._flush_often())
        from azureml_box.serving.recovery import recover

        await recover(self._box)

    async def stop(self) -> None:
        """End every process; what serves comes back with the next start."""
        if self._flusher is not None:
            self._flusher.cancel()
        for task in list(self._work.values()):
            task.cancel()
        await asyncio.gather(*self._work.values(), return_exceptions=True)
        await asyncio.gather(*(keeper.stop() for keeper in self.keepers.values()), return_exceptions=True)
        self.keepers.clear()
        self.metrics.flush()

    def folder(self, key: str) -> Path:
        """Where a deployment's generations and its log are."""
        return self._box.config.home / "deployments" / key

    def log(self, key: str) -> Path:
        """The server's log, over all generations."""
        return self.folder(key) / "server.log"

    def resume(self, key: str, launch: Launch) -> None:
        """Serve again what served before; the server is kept trying."""
        keeper = self.keepers[key] = Keeper(key, launch, self.log(key))
        keeper.start_later()

    async def replace(self, key: str, launch: Launch) -> None:
        """Start a new generation and, once it answers, take the old one away. Raises StartError."""
        keeper = Keeper(key, launch, self.log(key))
        await keeper.start()
        old = self.keepers.get(key)
        self.keepers[key] = keeper
        if old is not None:
            await old.drain(old.launch.request_timeout)
            await self._retire(old)

    async def remove(self, key: str) -> None:
        """Stop a deployment, and what was being done to it, for good."""
        work = self._work.get(key)
        if work is not None:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
        keeper = self.keepers.pop(key, None)
        if keeper is not None:
            await keeper.stop()
        await asyncio.to_thread(shutil.rmtree, self.folder(key), ignore_errors=True)

    async def exclusive(self, key: str, work: Coroutine[Any, Any, None]) -> None:
        """Do `work` on a deployment so that `remove` and `stop` can cut it short."""
        task = self._work[key] = asyncio.create_task(work)
        try:
            await task
        finally:
            if self._work.get(key) is task:
                del self._work[key]

    async def _retire(self, keeper: Keeper) -> None:
        await keeper.stop()
        await asyncio.to_thread(shutil.rmtree, keeper.launch.folder, ignore_errors=True)

    async def _flush_often(self) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            while True:
                await asyncio.sleep(_FLUSH_EVERY)
                self.metrics.flush()
