"""Outputs and logs on their way to the storage account, while the next steps read the files on this machine."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from azureml_box.jobs import destinations, documents, files, logs

if TYPE_CHECKING:
    from azureml_box.context import Box


class Uploads:
    """The uploads of one root job."""

    def __init__(self, box: Box) -> None:
        self._box = box
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, run: str, outputs: list[str], *, settle: bool = False) -> None:
        """Sends a run's outputs and its log; its document says when they are there (`_sent`).

        With `settle` they then go where their author wants them.
        """
        self._tasks.add(asyncio.create_task(self._send(run, outputs, settle)))

    async def finish(self) -> None:
        """Waits until everything is there; raises what went wrong."""
        await asyncio.gather(*self._tasks)

    async def settle(self) -> None:
        """Waits for what can be sent of a job that fails anyway, so that its logs are there when it has ended."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _send(self, run: str, outputs: list[str], settle: bool) -> None:
        folder = self._box.jobs.folder(run) / "outputs"
        there = [name for name in outputs if (folder / name).exists()]
        datastore = str(documents.get(self._box, run).get("_datastore") or "")
        sending = (asyncio.to_thread(files.upload, self._box, run, name, folder / name, datastore) for name in there)
        await asyncio.gather(asyncio.to_thread(logs.upload, self._box, run), *sending)
        if settle:
            await destinations.settle(self._box, run)
        doc = documents.get(self._box, run)
        doc["_sent"] = True
        self._box.store.put(documents.KIND, run, doc)
