"""The one gate of all HTTP functions: droptune's own keys, stored hashed, with scopes (ARCHITECTURE, principle 11).

A key is `dt-ID-SECRET`. It may come as `x-functions-key`, `?code=`, `Authorization: Bearer` or `api-key`.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Mapping
from typing import Protocol

import msgspec

from shared.errors import NotFoundError

SCOPES = frozenset({"score", "read", "operate"})
_KEY = re.compile(r"dt-([0-9a-f]{8})-([A-Za-z0-9_-]{20,})")
_KNOWN_SECONDS = 15.0


class Store(Protocol):
    """Where keys lie: the container `access`."""

    def read(self, path: str) -> tuple[bytes, str]: ...

    def write(self, path: str, data: bytes) -> str: ...


class Key(msgspec.Struct, frozen=True):
    """A key as it is stored: its secret's SHA-256, never the secret."""

    id: str
    name: str
    scopes: list[str]
    hash: str
    created: str = ""


_CACHE: dict[str, tuple[Key | None, float]] = {}


def make_key(store: Store, scopes: frozenset[str], name: str, secret: str | None = None) -> str:
    """Makes a key, stores its hash and returns it; it is shown this once only.

    Raises:
        ValueError: an unknown scope.
    """
    if not scopes <= SCOPES:
        raise ValueError(f"unknown scopes {sorted(scopes - SCOPES)}: known are {sorted(SCOPES)}")
    secret = secret or secrets.token_urlsafe(32)
    identity = hashlib.sha256(f"{name}:{secret}".encode()).hexdigest()[:8]
    key = Key(identity, name, sorted(scopes), _hash(secret), time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
    store.write(f"keys/{identity}.json", msgspec.json.encode(key))
    return f"dt-{identity}-{secret}"


def presented(headers: Mapping[str, str], query: Mapping[str, str]) -> str:
    """The key that a request carries, or an empty text."""
    lower = {name.lower(): value for name, value in headers.items()}
    bearer = lower.get("authorization", "")
    if bearer.lower().startswith("bearer "):
        bearer = bearer[7:].strip()
    return lower.get("x-functions-key") or query.get("code") or bearer or lower.get("api-key") or ""


def allowed(store: Store, key: str, scope: str) -> bool:
    """Whether a key exists, is right, and has a scope."""
    match = _KEY.fullmatch(key)
    if not match:
        return False
    known = _lookup(store, match[1])
    return known is not None and hmac.compare_digest(known.hash, _hash(match[2])) and scope in known.scopes


def _lookup(store: Store, identity: str) -> Key | None:
    known, read_at = _CACHE.get(identity, (None, 0.0))
    if known is not None and time.monotonic() - read_at < _KNOWN_SECONDS:
        return known
    try:
        known = msgspec.json.decode(store.read(f"keys/{identity}.json")[0], type=Key)
    except NotFoundError:
        known = None
    _CACHE[identity] = (known, time.monotonic())
    return known


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
