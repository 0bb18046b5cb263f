"""The box from outside: `up`, `down`, `status`, `reset`; plain functions for the command line and for tests."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil

from local.box import certificates, child, config, leftovers, ports, provision, state
from local.box import environment as variables
from local.box.errors import BoxError
from local.box.services import REPOSITORY
from local.box.services import SERVICES as _TABLE
from local.box.status import BoxStatus, look

SERVICES = tuple(one.name for one in _TABLE)
UP_WITHIN = 150.0
DOWN_WITHIN = 20.0
Progress = Callable[[str, str], None]


def up(
    home: Path,
    *,
    settings: dict[str, str] | None = None,
    instances: int | None = None,
    time_scale: float | None = None,
    on_progress: Progress | None = None,
) -> BoxStatus:
    """Start the box and return when all is ready; one that runs already is left alone unless something changes.

    `settings` are the function app's (`--set`), kept for later starts; None keeps what was chosen before.

    Raises:
        BoxError: a service does not start; with the end of its log.
    """
    home = home.absolute()
    changes: dict[str, Any] = {"settings": settings, "instances": instances, "time_scale": time_scale}
    if state.is_running(home):
        running = config.load(home)
        if _changed(running, changes) == running and _phase(home) in ("ready", "starting"):
            _wait_until_ready(home, on_progress or (lambda *_: None))
            return status(home)
        down(home)
    else:
        leftovers.end(home)
    chosen = _changed(config.load_or_create(home), changes)
    config.save(chosen)
    certificates.ensure(chosen.ca)
    provision.write_subscriptions(chosen)
    (home / "logs").mkdir(exist_ok=True)
    _start_supervisor(home, chosen)
    _wait_until_ready(home, on_progress or (lambda *_: None))
    return status(home)


def down(home: Path) -> None:
    """End everything of the box; its data stays. Also after a crash of the supervisor."""
    home = home.absolute()
    known = state.read(home)
    if known and state.is_running(home):
        with suppress(ProcessLookupError):
            os.kill(known.supervisor, signal.SIGTERM)
        until = time.monotonic() + DOWN_WITHIN
        while state.is_running(home) and time.monotonic() < until:
            time.sleep(0.05)
        if state.is_running(home):
            with suppress(ProcessLookupError):
                os.kill(known.supervisor, signal.SIGKILL)
    leftovers.end(home)
    (home / "run.json").unlink(missing_ok=True)


def is_up(home: Path) -> bool:
    """Tell whether a box runs in this home."""
    return (home / "box.json").is_file() and state.is_running(home.absolute())


def status(home: Path) -> BoxStatus:
    """Ask every service how it is; BoxError where there never was a box."""
    chosen = config.load(home)
    known = state.read(home) if state.is_running(home) else None
    return asyncio.run(look(chosen, known.pids if known else {}))


def reset(home: Path) -> None:
    """End the box and forget everything of it."""
    down(home)
    if (home / "box.json").is_file():
        shutil.rmtree(home)
    elif home.is_dir() and any(home.iterdir()):
        raise BoxError(f"{home} holds no box.json, so it is no box: nothing was deleted")


def environment(home: Path) -> dict[str, str]:
    """Return the variables that `box env` exports."""
    return variables.client(config.load(home))


def log_path(home: Path, service: str) -> Path:
    """Return the log file of a service.

    Raises:
        BoxError: there is no such service.
    """
    names = (*SERVICES, "supervisor", "registry")
    if service not in names:
        raise BoxError(f"there is no service {service!r}; there are: {', '.join(names)}")
    return child.log_path(home.absolute(), service)


def _changed(chosen: config.BoxConfig, changes: dict[str, Any]) -> config.BoxConfig:
    given = {name: value for name, value in changes.items() if value is not None}
    if "settings" in given:
        given["settings"] = chosen.settings | given["settings"]
    return replace(chosen, **given)


def _phase(home: Path) -> str:
    known = state.read(home)
    return known.phase if known else ""


def _start_supervisor(home: Path, chosen: config.BoxConfig) -> None:
    (home / "run.json").unlink(missing_ok=True)
    with child.log_path(home, "supervisor").open("ab") as log:
        subprocess.Popen(
            [sys.executable, "-m", "local.box.supervisor", "--home", str(home)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=REPOSITORY,
            env=os.environ | {"PYTHONPATH": str(REPOSITORY), "DROPTUNE_BOX_HOME": str(home)},
            start_new_session=True,
            pass_fds=ports.files(chosen.ports.values()),
        )
    ports.release(chosen.ports.values())


def _wait_until_ready(home: Path, tell: Progress) -> None:
    told, until = 0, time.monotonic() + UP_WITHIN
    while time.monotonic() < until:
        known = state.read(home)
        if known:
            for service in known.progress[told:]:
                tell(service, "ready")
            told = len(known.progress)
            if known.phase == "ready":
                return
            if known.phase == "failed" or (known.phase != "stopping" and not psutil.pid_exists(known.supervisor)):
                raise BoxError(known.problem or f"the supervisor died; see {child.log_path(home, 'supervisor')}")
        time.sleep(0.05)
    down(home)
    raise BoxError(f"the box was not ready after {UP_WITHIN:.0f} s; see {home / 'logs'}")
