"""The one gate of all HTTP functions: droptune's own keys, stored hashed, with scopes (ARCHITECTURE, principle 11).

A key is `dt-ID-SECRET`. It may come as `x-functions-key`, `?code=`, `Authorization: Bearer` or `api-key`. Each instance of
the function app remembers a key for `KNOWN_SECONDS`: so long, at most, does one that was revoked still open.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Protocol

import msgspec

from shared import clock
from shared.errors import NotFoundError
from shared.runs.records import moment, stamp

SCOPES = frozenset({"score", "read", "operate"})
KNOWN_SECONDS = 15.0
_KEY = re.compile(r"dt-([0-9a-f]{8})-([A-Za-z0-9_-]{20,})")


class Store(Protocol):
    """Where keys lie: the container `access`."""

    def read(self, path: str) -> tuple[bytes, str]: ...

    def write(self, path: str, data: bytes) -> str: ...


class Key(msgspec.Struct, frozen=True, omit_defaults=True):
    """A key as it is stored: its secret's SHA-256, never the secret.

    `models`: the only ones that it may ask; `per_minute`: its most questions in a minute, over all instances (0: any).
    `expires`: the moment (ISO 8601) from which it opens nothing.
    """

    id: str
    name: str
    scopes: list[str]
    hash: str
    created: str = ""
    models: list[str] = []
    per_minute: int = 0
    expires: str = ""

    def asks(self, model: str) -> bool:
        """Whether it may ask a model, of whatever version."""
        return not self.models or model.partition("@")[0] in self.models


_CACHE: dict[str, tuple[Key | None, float]] = {}


def make_key(
    store: Store,
    scopes: frozenset[str],
    name: str,
    secret: str | None = None,
    *,
    models: list[str] | None = None,
    per_minute: int = 0,
) -> str:
    """Makes a key, stores its hash and returns it; it is shown this once only.

    Raises:
        ValueError: an unknown scope, a negative limit, or limits for a key that asks no models.
    """
    if not scopes <= SCOPES:
        raise ValueError(f"unknown scopes {sorted(scopes - SCOPES)}: known are {sorted(SCOPES)}")
    if per_minute < 0:
        raise ValueError(f"{per_minute} requests a minute: write 1 or more, or 0 for no limit")
    if (models or per_minute) and scopes != {"score"}:
        raise ValueError("limits to models and rates are for keys with the scope score alone")
    secret = secret or secrets.token_urlsafe(32)
    identity = hashlib.sha256(f"{name}:{secret}".encode()).hexdigest()[:8]
    made = stamp(clock.now())
    key = Key(identity, name, sorted(scopes), _hash(secret), made, sorted(models or []), per_minute)
    store.write(path(identity), msgspec.json.encode(key))
    return f"dt-{identity}-{secret}"


def rotate(store: Store, identity: str, grace: float = 0.0) -> str:
    """Makes a key like an older one, which opens for another `grace` seconds; returns the new one.

    Raises:
        NotFoundError: there is no such key.
    """
    old = msgspec.json.decode(store.read(path(identity))[0], type=Key)
    new = make_key(store, frozenset(old.scopes), old.name, models=old.models, per_minute=old.per_minute)
    ends = msgspec.structs.replace(old, expires=stamp(clock.now() + timedelta(seconds=grace)))
    store.write(path(identity), msgspec.json.encode(ends))
    return new


def path(identity: str) -> str:
    """Where a key lies."""
    return f"keys/{identity}.json"


def presented(headers: Mapping[str, str], query: Mapping[str, str]) -> str:
    """The key that a request carries, or an empty text."""
    lower = {name.lower(): value for name, value in headers.items()}
    bearer = lower.get("authorization", "")
    if bearer.lower().startswith("bearer "):
        bearer = bearer[7:].strip()
    return lower.get("x-functions-key") or query.get("code") or bearer or lower.get("api-key") or ""


def opened(store: Store, key: str, scope: str) -> Key | None:
    """The key that a text is, where it exists, has not expired and has a scope."""
    match = _KEY.fullmatch(key)
    if not match:
        return None
    known = _lookup(store, match[1])
    right = known is not None and hmac.compare_digest(known.hash, _hash(match[2]))
    if known is None or not right or scope not in known.scopes:
        return None
    return None if known.expires and moment(known.expires) <= clock.now() else known


def is_fresh(key: str) -> bool:
    """Whether `opened` answers without a call."""
    match = _KEY.fullmatch(key)
    return match is None or _remembered(match[1]) is not None


def _remembered(identity: str) -> Key | None:
    known, read_at = _CACHE.get(identity, (None, 0.0))
    return known if known is not None and clock.monotonic() - read_at < KNOWN_SECONDS else None


def _lookup(store: Store, identity: str) -> Key | None:
    known = _remembered(identity)
    if known is not None:
        return known
    asked_at = clock.monotonic()
    try:
        known = msgspec.json.decode(store.read(path(identity))[0], type=Key)
    except NotFoundError:
        known = None
    _CACHE[identity] = (known, asked_at)
    return known


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
