"""`python -m local.box.supervisor --home HOME`: starts the box's services and keeps them running until SIGTERM."""

import argparse
import asyncio
import os
import signal
import socket
import sys
import time
from pathlib import Path

from local.box import leftovers, provision, state
from local.box.child import Child, log_path
from local.box.config import BoxConfig, load
from local.box.errors import BoxError
from local.box.health import wait_until_healthy
from local.box.services import AZUREML, EVENTGRID, FUNCTIONS, IDENTITY, STORAGE, Service

READY_WITHIN = 60.0


class Supervisor:
    """All services of one box."""

    def __init__(self, config: BoxConfig) -> None:
        self.config = config
        self.children: list[Child] = []
        self.phase, self.problem = "starting", ""
        self.progress: list[str] = []
        self._functions_socket: socket.socket | None = None

    async def run(self) -> None:
        """Start everything, then wait for SIGTERM and end everything."""
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        starting = asyncio.create_task(self._start())
        await asyncio.wait([starting, asyncio.create_task(stop.wait())], return_when=asyncio.FIRST_COMPLETED)
        if starting.done() and starting.exception() is None:
            await stop.wait()
        failed = starting.done() and starting.exception()
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        await self._stop(str(failed) if failed else "")

    async def _start(self) -> None:
        config = self.config
        # Kept open as long as we live: a functions host that is started again takes it over.
        self._functions_socket = _listening(config.ports["functions"])
        registry = asyncio.create_task(_build_registry(config))
        ready = {service.name: asyncio.create_task(self._one(service)) for service in (STORAGE, IDENTITY, EVENTGRID)}
        await asyncio.gather(ready["storage"], ready["identity"])
        await provision.storage(config)
        functions = [self._functions(number) for number in range(config.instances)]
        await asyncio.gather(self._azureml(registry), ready["eventgrid"], *functions)
        self.phase = "ready"
        self._write()

    async def _azureml(self, registry: "asyncio.Task[None]") -> None:
        await registry
        await self._one(AZUREML)
        await provision.workspace(self.config)

    async def _functions(self, number: int) -> None:
        assert self._functions_socket is not None
        await self._one(FUNCTIONS, self._functions_socket.fileno(), ("--instance", str(number)))

    async def _one(self, service: Service, descriptor: int = -1, extra: tuple[str, ...] = ()) -> None:
        child = Child(self.config, service, descriptor, self._write, extra)
        self.children.append(child)
        await child.start()
        await wait_until_healthy(self.config, child, READY_WITHIN)
        self.progress.append(service.name)
        self._write()

    async def _stop(self, problem: str) -> None:
        self.phase, self.problem = "stopping", problem
        self._write()
        last = (STORAGE.name, IDENTITY.name)
        # What writes to the storage ends before it.
        await asyncio.gather(*(child.stop() for child in self.children if child.service.name not in last))
        await asyncio.gather(*(child.stop() for child in self.children if child.service.name in last))
        if self._functions_socket is not None:
            self._functions_socket.close()
        leftovers.end(self.config.home)
        self.phase, self.children = ("failed" if problem else "stopped"), []
        self._write()

    def _write(self) -> None:
        pids: dict[str, list[int]] = {}
        for child in self.children:
            pids.setdefault(child.service.name, []).extend([child.pid] if child.pid else [])
        state.write(self.config.home, state.RunState(os.getpid(), self.phase, self.problem, pids, self.progress))


async def _build_registry(config: BoxConfig) -> None:
    """In a process of its own: its imports stay out of ours, and the other services start meanwhile."""
    path = log_path(config.home, "registry")
    with path.open("ab") as log:
        command = (sys.executable, "-m", "local.registry.build", str(config.home / "registry"))
        process = await asyncio.create_subprocess_exec(*command, stdout=log, stderr=log)
    try:
        status = await asyncio.wait_for(process.wait(), 120)
    except TimeoutError:
        process.kill()
        raise BoxError(f"the registry's models took more than 120 s to be made; see {path}") from None
    if status:
        raise BoxError(f"the registry's models cannot be made:\n{path.read_text(errors='replace')[-1500:]}")


def _listening(port: int) -> socket.socket:
    """The functions host's instances share it, so that requests wait while one starts again."""
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind(("127.0.0.1", port))
    bound.listen(512)
    return bound


def main() -> int:
    """Supervise until SIGTERM; 1 where the services cannot be started or another supervisor is at it."""
    parser = argparse.ArgumentParser(prog="python -m local.box.supervisor", description=main.__doc__)
    parser.add_argument("--home", type=Path, required=True, help="the box's home")
    home = parser.parse_args().home.absolute()
    held, until = state.lock(home), time.monotonic() + 1
    # Who only looks whether a supervisor is there holds the lock for an instant.
    while held is None and time.monotonic() < until:
        time.sleep(0.02)
        held = state.lock(home)
    if held is None:
        print(f"a supervisor is at work in {home} already", file=sys.stderr)
        return 1
    with held:
        leftovers.end(home)
        supervisor = Supervisor(load(home))
        (home / "logs").mkdir(exist_ok=True)
        asyncio.run(supervisor.run())
    if supervisor.problem:
        print(supervisor.problem, file=sys.stderr)
    return 1 if supervisor.problem else 0


if __name__ == "__main__":
    sys.exit(main())
