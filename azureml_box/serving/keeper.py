"""Keeps one deployment's server alive: started again, with growing pauses, whenever it dies."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from pathlib import Path
from typing import Any

from azureml_box.serving.launch import Launch
from azureml_box.serving.process import InferenceProcess, StartError

_log = logging.getLogger(__name__)
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 10.0
_STEADY = 30.0


class Keeper:
    """One generation of one deployment; `process` is the server to ask, or None while it is down."""

    def __init__(self, name: str, launch: Launch, log: Path) -> None:
        self.name, self.launch, self.log = name, launch, log
        self.process: InferenceProcess | None = None
        self.pending = 0
        self.restarts = 0
        self._watch: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start the server and stand by it; raises StartError when the first start fails."""
        await self._start_process()
        self._watch = asyncio.create_task(self._stand_by())

    def start_later(self) -> None:
        """Start the server in the background, trying for ever: after the emulator's own restart."""
        self._watch = asyncio.create_task(self._stand_by())

    async def drain(self, limit: float) -> None:
        """Wait for the requests under way, at most `limit` seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit):
                while self.pending:  # noqa: ASYNC110 - rare and short
                    await asyncio.sleep(0.02)

    async def stop(self) -> None:
        """End the server for good."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
        process, self.process = self.process, None
        if process is not None:
            await process.stop()

    def state(self) -> dict[str, Any]:
        """What an operator wants to see."""
        pid = self.process.pid if self.process else None
        return {"deployment": self.name, "pid": pid, "restarts": self.restarts, "pending": self.pending}

    async def _start_process(self) -> None:
        process = InferenceProcess(self.launch, self.log)
        await process.start()
        self.process = process

    async def _stand_by(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            if self.process is not None:
                began = asyncio.get_running_loop().time()
                status = await self.process.wait()
                ended, self.process = self.process, None
                await ended.stop()
                _log.warning("deployment %s ended with status %s; starting it again", self.name, status)
                self.restarts += 1
                steady = asyncio.get_running_loop().time() - began > _STEADY
                pause = _FIRST_PAUSE if steady else pause
                await asyncio.sleep(pause)
            pause = await self._try_again(pause)

    async def _try_again(self, pause: float) -> float:
        """The pause before the next start, should the server die again."""
        try:
            await self._start_process()
        except (StartError, OSError) as error:
            _log.warning("deployment %s does not start: %s; next try in %.1f s", self.name, error, pause)
            self.restarts += 1
            await asyncio.sleep(pause)
        return min(pause * 2, _LONGEST_PAUSE)
