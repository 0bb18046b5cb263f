"""Builds one virtual environment: `venv`, then `pip install`; in a process group of its own, with a limit and a bounded log."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections import deque
from pathlib import Path
from typing import BinaryIO

from azureml_box import tree
from azureml_box.environments.conda import Spec

LIMIT_SECONDS = 1800.0
MOST_BYTES = 2_000_000
_TAIL_LINES = 20
_PASSED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
# Where pip looks for packages; its other variables, such as PIP_TARGET, would break the build.
_PIP = ("INDEX_URL", "EXTRA_INDEX_URL", "FIND_LINKS", "NO_INDEX", "TRUSTED_HOST", "CERT", "CONFIG_FILE", "CACHE_DIR")
_NAMES = (*_PASSED, *_PROXIES, *(f"PIP_{name}" for name in _PIP))
_CUT = b"[box] the log is cut here; what follows is left out\n"


class BuildError(Exception):
    """The environment could not be built; the message ends with the last lines of pip."""


async def build(spec: Spec, base: str, place: Path, log: Path, limit: float = LIMIT_SECONDS) -> None:
    """Makes the environment in `place`, which must not be there yet, from the interpreter `base`.

    Raises:
        BuildError: a step failed, or it took longer than `limit` seconds.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    requirements = place.with_name(f"{place.name}.txt")
    requirements.write_text("".join(f"{line}\n" for line in spec.requirements))
    pip = [str(place / "bin/python"), "-m", "pip", "--no-input", "--disable-pip-version-check", "install"]
    steps = [[base, "-m", "venv", str(place)]]
    if spec.requirements:
        steps.append([*pip, "--progress-bar=off", "-r", str(requirements)])
    tail: deque[str] = deque(maxlen=_TAIL_LINES)
    try:
        async with asyncio.timeout(limit):
            with log.open("ab", buffering=0) as output:
                for step in steps:
                    await _run(step, place, output, tail)
    except TimeoutError:
        raise BuildError(f"it took longer than {limit:g} s" + _last(tail)) from None
    except OSError as error:
        raise BuildError(str(error)) from error
    finally:
        requirements.unlink(missing_ok=True)


async def _run(command: list[str], place: Path, output: BinaryIO, tail: deque[str]) -> None:
    output.write(f"[box] {' '.join(command)}\n".encode())
    variables = {name: os.environ[name] for name in _NAMES if name in os.environ}
    process = await asyncio.create_subprocess_exec(
        *command,
        env={**variables, "PYTHONUNBUFFERED": "1", tree.MARK: str(place)},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        await _copy(process, output, tail)
        code = await process.wait()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await asyncio.shield(process.wait())
    if code != 0:
        raise BuildError(f"{command[2]} ended with exit code {code}" + _last(tail))


async def _copy(process: asyncio.subprocess.Process, output: BinaryIO, tail: deque[str]) -> None:
    assert process.stdout is not None
    kept, rest = output.tell(), b""
    while chunk := await process.stdout.read(65536):
        *lines, rest = (rest + chunk).split(b"\n")
        tail.extend(line.decode(errors="replace") for line in lines if line.strip())
        if kept < MOST_BYTES:
            output.write(chunk)
            kept += len(chunk)
            if kept >= MOST_BYTES:
                output.write(_CUT)
        rest = rest[-65536:]
    if rest.strip():
        tail.append(rest.decode(errors="replace"))


def _last(tail: deque[str]) -> str:
    return ":\n" + "\n".join(tail) if tail else ""
