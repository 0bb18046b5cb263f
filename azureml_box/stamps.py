"""Who made a resource and when: ARM's `systemData`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any


def now() -> str:
    """This moment, as ARM writes it."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def stamp(before: dict[str, Any] | None = None) -> dict[str, Any]:
    """`systemData` of a resource that is made or, given its old document, changed."""
    moment = now()
    old = (before or {}).get("systemData") or {}
    return {
        "createdAt": old.get("createdAt", moment),
        "createdBy": old.get("createdBy", "azureml_box"),
        "createdByType": "Application",
        "lastModifiedAt": moment,
        "lastModifiedBy": "azureml_box",
        "lastModifiedByType": "Application",
    }
