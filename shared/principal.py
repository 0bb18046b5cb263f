"""Callers with an Entra ID token, as App Service authentication names them.

Where the platform's authentication is on, it checks the token, removes what callers wrote into its headers, and says who it
was in `X-MS-CLIENT-PRINCIPAL`. The app roles `droptune.score`, `droptune.read` and `droptune.operate` are our scopes.
Where it is off nobody removes the header, so it means nothing: the platform sets `WEBSITE_AUTH_ENABLED` (source:
learn.microsoft.com/azure/app-service/configure-authentication-user-identities, and Kudu's list of its variables).
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import msgspec

HEADER = "x-ms-client-principal"
ENABLED = "WEBSITE_AUTH_ENABLED"
PREFIX = "droptune."
ROLES = "roles"
_IDS = ("http://schemas.microsoft.com/identity/claims/objectidentifier", "oid", "appid", "azp")


class Principal(msgspec.Struct, frozen=True):
    """Whom the platform let in: an id for limits, and our scopes among the roles."""

    id: str
    scopes: frozenset[str]


def principal(headers: Mapping[str, str], environment: Mapping[str, str]) -> Principal | None:
    """The caller whom App Service authentication names, or None."""
    if environment.get(ENABLED, "").lower() != "true":
        return None
    encoded = next((value for name, value in headers.items() if name.lower() == HEADER), "")
    return read(encoded) if encoded else None


def read(encoded: str) -> Principal | None:
    """The principal in the header's Base64 of JSON, or None where it is none."""
    try:
        said: Any = msgspec.json.decode(base64.b64decode(encoded, validate=True))
        claims = [(str(claim["typ"]), str(claim["val"])) for claim in said["claims"]]
        kinds = {ROLES, str(said.get("role_typ") or ROLES)}
    except (ValueError, msgspec.DecodeError, RecursionError, KeyError, TypeError, AttributeError):
        return None
    who = next((value for wanted in _IDS for kind, value in claims if kind == wanted), "")
    roles = {value for kind, value in claims if kind in kinds and value.startswith(PREFIX)}
    return Principal(who, frozenset(role.removeprefix(PREFIX) for role in roles)) if who else None
