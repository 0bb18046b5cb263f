"""Asks services whether they are ready."""

import asyncio
import ssl
import time

import aiohttp

from local.box.child import Child, log_path
from local.box.config import BoxConfig
from local.box.errors import BoxError

_ANSWER_WITHIN = aiohttp.ClientTimeout(total=2)
_LOOK_EVERY = 0.05


def client(config: BoxConfig) -> aiohttp.ClientSession:
    """Return an HTTP client that trusts the box."""
    trust = ssl.create_default_context(cafile=str(config.ca / "ca.pem"))
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trust, force_close=True), timeout=_ANSWER_WITHIN)


async def is_healthy(session: aiohttp.ClientSession, url: str) -> bool:
    """Tell whether the URL answers; Azurite refuses `/` with 400, which is life enough."""
    try:
        async with session.get(url) as answer:
            return answer.status < 500
    except (aiohttp.ClientError, TimeoutError, OSError):
        return False


async def wait_until_healthy(config: BoxConfig, child: Child, within: float) -> None:
    """Return when the service answers.

    Raises:
        BoxError: it does not in time, or dies again and again; with the end of its log.
    """
    service, until = child.service, time.monotonic() + within
    async with client(config) as session:
        while not await is_healthy(session, service.health_url(config)):
            if child.restarts >= 3 or time.monotonic() > until:
                what = "ends at once, again and again" if child.restarts >= 3 else f"is not ready after {within:.0f} s"
                raise BoxError(f"the service {service.name} {what}. The end of its log:\n{_tail(config, service.name)}")
            await asyncio.sleep(_LOOK_EVERY)


def _tail(config: BoxConfig, service: str) -> str:
    path = log_path(config.home, service)
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else []
    return "\n".join(lines[-12:]) + f"\n(all of it: {path})"
