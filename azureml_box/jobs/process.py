"""The process of one step: in its own session, with a clean environment, its output in a log that can be read at once."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import jwt

if TYPE_CHECKING:
    from azureml_box.config import Config

KEPT = (
    "HOME",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_FILE",
    "CUDA_VISIBLE_DEVICES",
    "LD_LIBRARY_PATH",
)
GRACE_SECONDS = 5.0
TOKEN_SECONDS = 86400


def environment(config: Config, run: str, root: str, experiment: str, own: dict[str, str]) -> dict[str, str]:
    """What a step's process sees, named as Azure names it."""
    kept = {name: os.environ[name] for name in (*KEPT, *config.passed_variables) if name in os.environ}
    binaries = str(Path(sys.executable).parent)
    return {
        **kept,
        "PATH": f"{binaries}:{os.environ.get('PATH', '/usr/bin:/bin')}",
        "PYTHONUNBUFFERED": "1",
        "AZUREML_RUN_ID": run,
        "AZUREML_ROOT_RUN_ID": root,
        "AZUREML_EXPERIMENT_NAME": experiment,
        "AZUREML_ARM_SUBSCRIPTION": config.subscription,
        "AZUREML_ARM_RESOURCEGROUP": config.resource_group,
        "AZUREML_ARM_WORKSPACE_NAME": config.workspace,
        "MLFLOW_RUN_ID": run,
        "MLFLOW_EXPERIMENT_NAME": experiment,
        "MLFLOW_TRACKING_URI": f"{config.base_url}/mlflow/v2.0{config.workspace_scope}",
        "MLFLOW_TRACKING_TOKEN": _token(config, run),
        **own,
    }


def _token(config: Config, run: str) -> str:
    if config.signing_key is None:
        return ""
    now = int(time.time())
    claims = {
        "iss": f"https://sts.windows.net/{config.tenant}/",
        "aud": config.base_url,
        "tid": config.tenant,
        "oid": run,
        "iat": now,
        "nbf": now - 10,
        "exp": now + TOKEN_SECONDS,
    }
    return jwt.encode(claims, config.signing_key.read_bytes(), algorithm="RS256")


async def run(command: str, folder: Path, log: Path, environment: dict[str, str], timeout: float | None) -> int:
    """Runs a command to its end and returns its exit code; a cancelled or overdue one is ended with all its children.

    Raises:
        TimeoutError: it outlived its limit.
    """
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            "bash", "-c", command, cwd=folder, env=environment, stdout=output, stderr=output, start_new_session=True
        )
    (folder.parent / "pid").write_text(str(process.pid))
    try:
        return await asyncio.wait_for(process.wait(), timeout)
    finally:
        await asyncio.shield(end_group(process.pid))
        (folder.parent / "pid").unlink(missing_ok=True)


async def end_group(group: int) -> None:
    """Ends what is left of a process group: politely, then for sure."""
    if not _signal(group, signal.SIGTERM):
        return
    ends = time.monotonic() + GRACE_SECONDS
    while time.monotonic() < ends:
        if not _signal(group, 0):
            return
        await asyncio.sleep(0.05)
    _signal(group, signal.SIGKILL)


def _signal(group: int, number: int) -> bool:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def kill_left(pid: Path, run: str) -> None:
    """Kills what is left of a run's process group; a group of that number that belongs to others is left alone."""
    try:
        group = int(pid.read_text())
    except (OSError, ValueError):
        return
    if any(_belongs(entry, group, run) for entry in Path("/proc").glob("[0-9]*")):
        _signal(group, signal.SIGKILL)
    pid.unlink(missing_ok=True)


def _belongs(entry: Path, group: int, run: str) -> bool:
    # Numbers of processes come again, above all after a reboot: only the run's own variable tells.
    try:
        own = os.getpgid(int(entry.name)) == group
        return own and f"AZUREML_RUN_ID={run}".encode() in (entry / "environ").read_bytes().split(b"\0")
    except OSError:
        return False


def last_line(log: Path) -> str:
    """The last line of a log, which says most about a failure."""
    if not log.exists():
        return ""
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1].strip()[:500] if lines else ""
