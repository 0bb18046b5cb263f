"""One inference server: started in its own process group, asked until it answers, and surely ended."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import tempfile
from pathlib import Path

import aiohttp

from azureml_box.serving.launch import Launch

_LOOK_EVERY = 0.05
_POLITE = 3.0
_ASK_TIMEOUT = 5.0


class StartError(Exception):
    """The server did not come up; the message says how it ended."""


class InferenceProcess:
    """A running server and the pooled connections to it; use `start`, then `session`."""

    def __init__(self, launch: Launch, log: Path) -> None:
        self._launch, self._log = launch, log
        # A socket's path is limited to 107 bytes: the emulator's home may be longer.
        self._place = Path(tempfile.mkdtemp(prefix="azureml-box-"))
        self._process: asyncio.subprocess.Process | None = None
        self._session: aiohttp.ClientSession | None = None

    @property
    def pid(self) -> int | None:
        """The server's process id, once started."""
        return self._process.pid if self._process else None

    @property
    def session(self) -> aiohttp.ClientSession:
        """Keep-alive connections to the server."""
        if self._session is None:
            connector = aiohttp.UnixConnector(str(self._place / "http"), limit=0, keepalive_timeout=300)
            jar, never = aiohttp.DummyCookieJar(), aiohttp.ClientTimeout(total=None)
            self._session = aiohttp.ClientSession(
                "http://deployment", connector=connector, cookie_jar=jar, timeout=never, auto_decompress=False
            )
        return self._session

    async def start(self) -> None:
        """Start the server and wait until it answers; raises StartError, with nothing left running."""
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._launch.command(str(self._place / "http")),
                stdin=asyncio.subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd=self._launch.root,
                env=self._launch.variables(),
                start_new_session=True,
            )
        try:
            await asyncio.wait_for(self._until_ready(), self._launch.start_limit)
        except TimeoutError:
            await self.stop()
            raise StartError(f"it was not ready within {self._launch.start_limit:.0f} s") from None
        except BaseException:
            await self.stop()
            raise

    async def wait(self) -> int:
        """Its exit status, once it has ended."""
        assert self._process is not None
        return await self._process.wait()

    async def stop(self) -> None:
        """End the whole process group: politely, then surely."""
        if self._session is not None:
            await self._session.close()
        if self._process is not None:
            self._signal(signal.SIGTERM)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), _POLITE)
            # Also after a polite end: children of the model may have stayed.
            self._signal(signal.SIGKILL)
            await self._process.wait()
        shutil.rmtree(self._place, ignore_errors=True)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, number)

    async def _until_ready(self) -> None:
        assert self._process is not None
        while not await self._answers():
            if self._process.returncode is not None:
                raise StartError(f"it ended with status {self._process.returncode}")
            await asyncio.sleep(_LOOK_EVERY)

    async def _answers(self) -> bool:
        try:
            async with self.session.get("/", timeout=aiohttp.ClientTimeout(total=_ASK_TIMEOUT)) as answer:
                return answer.status == 200
        except (aiohttp.ClientError, OSError, TimeoutError):
            return False


def tail(log: Path, lines: int) -> str:
    """The last lines of a log; empty where there is none."""
    if lines <= 0 or not log.is_file():
        return ""
    with log.open("rb") as file:
        file.seek(0, os.SEEK_END)
        file.seek(max(0, file.tell() - 400 * lines - 65536))
        text = file.read().decode(errors="replace")
    return "\n".join(text.splitlines()[-lines:])
