"""Who calls: a key of ours, or somebody whom Azure's own authentication let in."""

from __future__ import annotations

import os
from collections.abc import Mapping

from shared import access
from shared.access import Key
from shared.azure.blobs import Container
from shared.principal import principal

STORE = Container("access")


def caller(
    headers: Mapping[str, str], query: Mapping[str, str], scope: str, presented: str | None = None
) -> Key | None:
    """The caller where he has the scope, else None; `presented` is the key he carries, where it was looked for already.

    Raises:
        ServiceError: the keys cannot be read.
    """
    if presented is None:
        presented = access.presented(headers, query)
    found = access.opened(STORE, presented, scope) if presented else None
    return found or _by_entra(headers, scope)


def why_not(headers: Mapping[str, str], query: Mapping[str, str], scope: str) -> str:
    """What to tell one who was not let in."""
    known = access.presented(headers, query)
    told = f"this key is not valid here, or lacks the scope {scope!r}" if known else "no key"
    return f"{told}: make one with `droptune keys make`"


def _by_entra(headers: Mapping[str, str], scope: str) -> Key | None:
    found = principal(headers, os.environ)
    if found is None or scope not in found.scopes:
        return None
    return Key(f"entra-{found.id}", found.id, sorted(found.scopes), "")
