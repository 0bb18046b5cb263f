"""An endpoint's keys and tokens: made, handed out, checked."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Mapping
from typing import Any

from azureml_box.errors import BadRequest

_TOKEN_LIFE = 12 * 3600
_REFRESH_AFTER = 11 * 3600


def new_key() -> str:
    """A key of 32 random bytes."""
    return base64.b64encode(secrets.token_bytes(32)).decode()


def new_secrets(sent: Mapping[str, Any] | None = None) -> dict[str, str]:
    """The private part of an endpoint: two keys (its maker may choose them) and what its tokens are signed with."""
    sent = sent or {}
    return {
        "primary": str(sent.get("primaryKey") or new_key()),
        "secondary": str(sent.get("secondaryKey") or new_key()),
        "signing": secrets.token_hex(32),
    }


def regenerated(keys: Mapping[str, str], request: Mapping[str, Any]) -> dict[str, str]:
    """The keys after `{"keyType": "Primary" | "Secondary", "keyValue"?}`."""
    which = str(request.get("keyType", "")).lower()
    if which not in ("primary", "secondary"):
        raise BadRequest(f"keyType must be Primary or Secondary, not {request.get('keyType')!r}.", "BadArgument")
    return {**keys, which: str(request.get("keyValue") or new_key())}


def token(keys: Mapping[str, str]) -> dict[str, Any]:
    """The answer of POST …/token."""
    now = int(time.time())
    expiry = now + _TOKEN_LIFE
    return {
        "accessToken": f"{expiry}.{_signature(keys, expiry)}",
        "expiryTimeUtc": expiry,
        "refreshAfterTimeUtc": now + _REFRESH_AFTER,
        "tokenType": "Bearer",
    }


def key_fits(keys: Mapping[str, str], given: str) -> bool:
    """Whether it is one of the two keys; takes the same time whatever is wrong."""
    fits = [hmac.compare_digest(keys[which].encode(), given.encode()) for which in ("primary", "secondary")]
    return any(fits)


def token_fits(keys: Mapping[str, str], given: str) -> bool:
    """Whether it is a token of this endpoint that has not expired."""
    expiry, _, signature = given.partition(".")
    if not (len(expiry) < 20 and expiry.isdecimal() and expiry.isascii() and int(expiry) > time.time()):
        return False
    return hmac.compare_digest(_signature(keys, int(expiry)).encode(), signature.encode())


def _signature(keys: Mapping[str, str], expiry: int) -> str:
    return hmac.new(keys["signing"].encode(), str(expiry).encode(), hashlib.sha256).hexdigest()
