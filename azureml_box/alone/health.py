"""Asks whether a service answers."""

from __future__ import annotations

import ssl
import urllib.error
import urllib.request
from functools import lru_cache
from pathlib import Path


def answers(url: str, authority: Path) -> bool:
    """Tell whether a GET of the URL succeeds."""
    try:
        with urllib.request.urlopen(url, timeout=5, context=_context(authority)):
            return True
    except (urllib.error.URLError, OSError):
        return False


@lru_cache(maxsize=16)
def _context(authority: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(authority))
