"""The Azure CLI, called; and the environment of `azd`, read and written."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import Any
from urllib.parse import parse_qsl, urlsplit

QUIET = ("--only-show-errors", "--output", "json")
# What `az rest` says of a 404: the reason, then the answer's body.
GONE = ("Not Found(", "ResourceNotFound", "ResourceGroupNotFound")


class AzError(Exception):
    """A command of the Azure CLI or of azd failed; the message is what it said."""


def az(*words: str, timeout: float = 1800.0) -> Any:
    """What a command answers, or None where it answers nothing.

    Raises:
        AzError: it failed, took longer than so many seconds, or there is no Azure CLI.
    """
    told = _run("az", "install it (https://aka.ms/azure-cli), then `az login`", *words, *QUIET, timeout=timeout)
    return json.loads(told) if told.strip() else None


def remember(name: str, value: str) -> None:
    """Sets a value of azd's environment: azd reads it again after each hook.

    Raises:
        AzError: azd failed, or is not on the path.
    """
    _run("azd", "its folder is not on the path (https://aka.ms/azd)", "env", "set", name, value, timeout=60.0)


def gone(error: AzError) -> bool:
    """Whether a command failed because what it is about is not there."""
    told = str(error)
    return "SubscriptionNotFound" not in told and any(word in told for word in GONE)


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
    """A call of the resource manager, below the subscription of azd's environment.

    The query goes as words of their own: on Windows `az` is a batch file, and `&` in an address would end its line.
    """
    parameters = [f"{key}={value}" for key, value in {"api-version": version, **query}.items()]
    return az("rest", "--method", method, "--url", resource, "--uri-parameters", *parameters)


def listed(resource: str, version: str, **query: str) -> list[dict[str, Any]]:
    """All entries of a list of the resource manager, page by page."""
    answer, found = arm("get", resource, version, **query), []
    while answer:
        found += answer.get("value", [])
        if not (link := urlsplit(answer.get("nextLink") or "")).netloc:
            break
        parameters = [f"{key}={value}" for key, value in parse_qsl(link.query)]
        page = f"{link.scheme}://{link.netloc}{link.path}"
        answer = az("rest", "--method", "get", "--url", page, "--uri-parameters", *parameters)
    return found


def say(text: str) -> None:
    """A line for people."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _run(name: str, mend: str, *words: str, timeout: float) -> str:
    program = shutil.which(name)
    if program is None:
        raise AzError(f"there is no {name}: {mend}")
    told = f"{name} {' '.join(words[:4])}"
    try:
        done = subprocess.run([program, *words], capture_output=True, text=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired as error:
        raise AzError(f"{told}: no answer within {timeout:.0f} s") from error
    if done.returncode != 0:
        raise AzError(f"{told}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout
