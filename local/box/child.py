"""One process of a service: started, watched and, should it die, started again."""

import asyncio
import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from local.box.config import BoxConfig
from local.box.errors import BoxError
from local.box.services import Service, child_environment

# A service that ends cleanly takes less; jobs of azureml have their own second in it.
GRACE = 5.0
_PR_SET_PDEATHSIG = 1
_PAUSES = (0.1, 0.5, 1.0, 1.5)


class Child:
    """Keeps one process running until `stop`."""

    def __init__(
        self,
        config: BoxConfig,
        service: Service,
        descriptor: int,
        changed: Callable[[], None],
        extra: tuple[str, ...] = (),
    ) -> None:
        self._extra = extra
        self.config, self.service, self.descriptor, self._changed = config, service, descriptor, changed
        self.pid: int | None = None
        self.restarts = 0
        self._stopping = False
        self._process: asyncio.subprocess.Process | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start the process; from now on it is started again whenever it ends."""
        await self._spawn()
        self._task = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        """End the process: politely, then not."""
        self._stopping = True
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            try:
                await asyncio.wait_for(self._process.wait(), GRACE)
            except TimeoutError:
                self._process.kill()
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _spawn(self) -> None:
        config, service = self.config, self.service
        with log_path(config.home, service.name).open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *service.command(config, self.descriptor),
                *self._extra,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=child_environment(config, service),
                cwd=config.home,
                pass_fds=(self.descriptor,) if self.descriptor >= 0 else (),
                start_new_session=True,
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,
            )
        self.pid = self._process.pid
        self._changed()

    async def _watch(self) -> None:
        quick = 0
        while not self._stopping and self._process is not None:
            started = time.monotonic()
            status = await self._process.wait()
            if self._stopping:
                return
            self.pid = None
            self._changed()
            quick = quick + 1 if time.monotonic() - started < 5 else 0
            _note(self.config.home, self.service.name, f"ended with status {status}; it is started again")
            await asyncio.sleep(_PAUSES[min(quick, len(_PAUSES) - 1)])
            self.restarts += 1
            try:
                await self._spawn()
            except (OSError, BoxError) as error:
                _note(self.config.home, self.service.name, f"cannot be started: {error}")


def log_path(home: Path, service: str) -> Path:
    """Return the log file of a service."""
    return home / "logs" / f"{service}.log"


def _note(home: Path, service: str, text: str) -> None:
    line = f"{time.strftime('%Y-%m-%d %H:%M:%S')} supervisor: {service} {text}\n"
    with log_path(home, service).open("a", encoding="utf-8") as log:
        log.write(line)


_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def _die_with_parent() -> None:
    """A supervisor that is killed takes its services along (prctl(2)); elsewhere `down` finds them by their mark."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() == 1:
            os._exit(1)
