"""Access tokens as Entra ID issues them, as far as the SDKs, Azurite and the emulator look."""

from __future__ import annotations

import time

import jwt

LIFETIME = 86400
# A verifier whose clock is a little behind must not refuse a fresh token.
_BACK = 10


def sign(key_pem: bytes, tenant: str, identity: str, audience: str, lifetime: int = LIFETIME) -> tuple[str, int]:
    """Return a token for `audience`, and the second at which it expires."""
    now = int(time.time())
    claims = {
        "aud": audience,
        # Azurite takes no other beginning than this.
        "iss": f"https://sts.windows.net/{tenant}/",
        "tid": tenant,
        "oid": identity,
        "sub": identity,
        "idtyp": "app",
        "iat": now,
        "nbf": now - _BACK,
        "exp": now + lifetime,
    }
    return jwt.encode(claims, key_pem, algorithm="RS256"), now + lifetime
