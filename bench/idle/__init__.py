"""The idle policy against its rivals over made-up request traces, in money and cold starts."""

from __future__ import annotations

from bench.idle.compare import measure

__all__ = ["measure"]
