"""The Azure CLI, called; and the environment of `azd`, read."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import Any

GONE = ("ResourceNotFound", "ResourceGroupNotFound", "NotFound", "was not found", "could not be found")


class AzError(Exception):
    """A command of the Azure CLI failed; the message is what it said."""


def az(*words: str, timeout: float = 1800.0) -> Any:
    """What a command answers, or None where it answers nothing.

    Raises:
        AzError: it failed, or there is no Azure CLI.
    """
    program = shutil.which("az")
    if program is None:
        raise AzError("there is no Azure CLI: install it (https://aka.ms/azure-cli), then `az login`")
    command = [program, *words, "--only-show-errors", "--output", "json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
    if done.returncode != 0:
        raise AzError(f"az {' '.join(words[:4])}: {done.stderr.strip() or done.stdout.strip()}")
    return json.loads(done.stdout) if done.stdout.strip() else None


def gone(error: AzError) -> bool:
    """Whether a command failed because what it is about is not there."""
    return any(word in str(error) for word in GONE)


def setting(name: str, default: str | None = None) -> str:
    """A value of azd's environment, which its hooks get.

    Raises:
        AzError: it is not there, and there is no default.
    """
    value = os.environ.get(name, "")
    if not value and default is None:
        raise AzError(f"{name} is not set: run this as a hook of azd, or after `azd env get-values`")
    return value or str(default)


def arm(method: str, resource: str, version: str, **query: str) -> Any:
    """A call of the resource manager, below the subscription of azd's environment."""
    parts = "".join(f"&{key}={value}" for key, value in query.items())
    return az("rest", "--method", method, "--url", f"{resource}?api-version={version}{parts}")


def say(text: str) -> None:
    """A line for people."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
