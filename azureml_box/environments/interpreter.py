"""Which Python runs a job or a scoring script, and why that one."""

from __future__ import annotations

import functools
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

_ASK = "import platform; print(platform.python_version())"
_ASK_SECONDS = 20


@dataclass(frozen=True)
class Interpreter:
    """A Python with its version; `venv` is the virtual environment's folder (None: the box's own interpreter)."""

    path: str
    version: str
    why: str
    venv: str | None = None

    @property
    def binaries(self) -> str:
        """The folder that stands first in the search path of commands."""
        return str(Path(self.path).parent)

    def has(self, distribution: str) -> bool:
        """Whether a package is installed there, by the name that its wheel has."""
        return any(Path(self.path).parents[1].glob(f"lib/python*/site-packages/{distribution}-*.dist-info"))

    def words(self) -> str:
        """What a job's log says of it.

        >>> Interpreter("/usr/bin/python", "3.11.2", "an image is not run here").words()
        "the box's own interpreter, Python 3.11.2 (an image is not run here)"
        """
        kind = f"the virtual environment {self.venv}" if self.venv else "the box's own interpreter"
        return f"{kind}, Python {self.version} ({self.why})"


def own(why: str) -> Interpreter:
    """The interpreter that the box itself runs in."""
    return Interpreter(sys.executable, ".".join(map(str, sys.version_info[:3])), why)


def base(version: str | None) -> tuple[str, str]:
    """(path, note) of a Python of this machine to build with: the version asked for, else the box's (blocks)."""
    mine = f"{sys.version_info[0]}.{sys.version_info[1]}"
    if version in (None, mine):
        return sys.executable, ""
    found = shutil.which(f"python{version}")
    if found and _full_version(found).startswith(f"{version}."):
        return found, ""
    return sys.executable, f"; Python {version} is not on this machine, so the box's version {mine} is used"


def full_version(path: str) -> str:
    """The version that an interpreter tells of itself, or an empty text (blocks)."""
    return _full_version(path)


@functools.cache
def _full_version(path: str) -> str:
    try:
        asked = subprocess.run(
            [path, "-I", "-c", _ASK], capture_output=True, text=True, timeout=_ASK_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return asked.stdout.strip()
