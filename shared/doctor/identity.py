"""Who asks: the identity behind the credential, read from its token."""

from __future__ import annotations

import base64
import json
from typing import Any

from shared.azure import arm
from shared.azure.credential import credential
from shared.azure.failures import azure_errors
from shared.errors import DeniedError

STORAGE = "https://storage.azure.com/.default"


def who() -> dict[str, Any]:
    """The claims of a token for the resource manager and, so that both are known to be given, one for storage.

    Raises:
        DeniedError: there is no token to be had.
    """
    try:
        with azure_errors("get a token"):
            credential().get_token(STORAGE)
            return claims(credential().get_token(f"{arm.base_url()}/.default").token)
    except DeniedError as error:
        raise DeniedError(error.reason, "az login", error.status) from error


def claims(token: str) -> dict[str, Any]:
    """What a JWT says, unchecked: it is told to people, and nothing is decided by it; empty where it is none.

    >>> claims("no token")
    {}
    """
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        found = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def assignee(said: dict[str, Any]) -> str:
    """How `az role assignment create` names this identity."""
    kind = "ServicePrincipal" if said.get("idtyp") == "app" or "upn" not in said else "User"
    return f"--assignee-object-id {said['oid']} --assignee-principal-type {kind}" if said.get("oid") else ""


def told(said: dict[str, Any]) -> str:
    """The identity in words."""
    name = said.get("upn") or said.get("appid") or "an identity"
    return f"{name}, object id {said.get('oid', 'not told')}, tenant {said.get('tid', 'not told')}"
