"""What the function app finds, asked as its own identity."""

from __future__ import annotations

from typing import Any

from shared.doctor import access, identity, mends, region, stores
from shared.doctor.findings import Finding, examined, ok, together, wrong
from shared.settings import missing, settings


def report() -> dict[str, Any]:
    """All findings of the app: settings, identity, roles, storage, region."""
    return {"findings": [one.document() for one in findings()]}


def findings() -> list[Finding]:
    """The same; where settings are wrong or nobody is signed in, nothing else is asked."""
    first = examined("settings", _settings, mends.PROVISION)
    if first.status == "wrong":
        return [first]
    said: dict[str, Any] = {}
    second = examined("identity", lambda: _identity(said), mends.PROVISION)
    if second.status == "wrong":
        return [first, second]
    of_region = region.checks()
    names = {name for name, _, _ in of_region}
    found = together([*stores.checks(), *access.checks(identity.assignee(said)), *of_region])
    sound = all(one.status != "wrong" for one in found if one.name in names)
    return [first, second, *found, *(region.cores() if sound else [])]


def _settings() -> Finding:
    chosen = settings()
    if absent := missing(chosen):
        return wrong("settings", f"not set: {', '.join(absent)}", mends.PROVISION)
    return ok("settings", f"workspace {chosen.workspace_name}, storage {chosen.account_url}")


def _identity(said: dict[str, Any]) -> str:
    said.update(identity.who())
    return identity.told(said)
