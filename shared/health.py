"""What must be there for anything to work, looked at."""

from __future__ import annotations

import platform
from typing import Any

from shared.azure import blobs, queue
from shared.errors import ServiceError, SettingsError
from shared.settings import missing, settings

CONTAINERS = ("datasets", "snapshots", "uploads", "runs", "endpoints", "active", "access")
VERSION = "0.1.0"


def report() -> dict[str, Any]:
    """Versions, and under `missing` what keeps droptune from working, in plain words."""
    found: list[str] = []
    try:
        found += [f"the setting {name}" for name in missing(settings())]
    except SettingsError as error:
        found.append(error.reason)
    if not found:
        found += _storage()
    return {"status": "missing" if found else "ok", "missing": found, "versions": _versions()}


def _storage() -> list[str]:
    try:
        absent = [f"the container {name}" for name in blobs.exists_all(CONTAINERS)]
        queue.reachable()
    except ServiceError as error:
        return [error.reason]
    return absent


def _versions() -> dict[str, str]:
    from importlib.metadata import PackageNotFoundError, version

    found = {"droptune": VERSION, "python": platform.python_version()}
    for package in ("azure-functions", "azure-ai-ml", "azure-storage-blob"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found
