"""Access tokens: JWTs as Entra ID issues them, as far as Azurite, the SDKs and our emulator look (BOX_FACTS 1)."""

import base64
import hashlib
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

LIFETIME = 86400
# A verifier whose clock is a little behind must not refuse a fresh token.
_BACK = 10


class Signer:
    """Signs tokens for one identity of one tenant."""

    def __init__(self, key_pem: bytes, tenant: str, object_id: str) -> None:
        key = serialization.load_pem_private_key(key_pem, password=None)
        if not isinstance(key, RSAPrivateKey):
            raise TypeError("the identity's key must be an RSA key; delete the box's ca/ folder to have it made anew")
        self._key, self._tenant, self._object_id = key, tenant, object_id
        self.key_id = _key_id(key)

    def token(self, resource: str, *, lifetime: int, now: float) -> str:
        """Return a token for `resource`, which becomes the audience as given."""
        claims = {
            "aud": resource,
            # Azurite takes no other beginning than this.
            "iss": f"https://sts.windows.net/{self._tenant}/",
            "tid": self._tenant,
            "oid": self._object_id,
            "sub": self._object_id,
            "idtyp": "app",
            "iat": int(now),
            "nbf": int(now) - _BACK,
            "exp": int(now) + lifetime,
        }
        return jwt.encode(claims, self._key, algorithm="RS256", headers={"kid": self.key_id})

    def key_set(self) -> dict[str, Any]:
        """Return the public key as a JWKS document."""
        numbers = self._key.public_key().public_numbers()
        key = {
            "kty": "RSA",
            "use": "sig",
            "alg": "RS256",
            "kid": self.key_id,
            "n": _base64(numbers.n),
            "e": _base64(numbers.e),
        }
        return {"keys": [key]}


class TokenCache:
    """Gives each resource one token until half its life is over: signing takes a millisecond, looking up none."""

    def __init__(self, signer: Signer, lifetime: int = LIFETIME) -> None:
        self._signer, self._lifetime = signer, lifetime
        self._tokens: dict[str, tuple[str, int]] = {}

    def get(self, resource: str, now: float) -> tuple[str, int]:
        """Return a token and the second it expires."""
        known = self._tokens.get(resource)
        if known and known[1] - now > self._lifetime / 2:
            return known
        if len(self._tokens) > 1000:
            self._tokens.clear()
        token = self._signer.token(resource, lifetime=self._lifetime, now=now)
        self._tokens[resource] = (token, int(now) + self._lifetime)
        return self._tokens[resource]


def _base64(number: int) -> str:
    raw = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _key_id(key: RSAPrivateKey) -> str:
    public = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(public).hexdigest()[:32]
