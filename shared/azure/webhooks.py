"""One POST to an address that a dropper named: what it resolves to is checked, and that very address is connected to.

aiohttp, for its limit of time over all: a server that answers a byte at a time ends there too. It follows nobody, keeps
no cookie, takes no proxy from the environment. What it raises may repeat the address, so nothing of that is passed on.
"""

from __future__ import annotations

import asyncio
import socket
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any

from shared import clock
from shared.azure.seen import Reply
from shared.errors import RejectedError
from shared.webhook import Webhook, may_be_called

if TYPE_CHECKING:
    import ssl

RESOLVE_SECONDS, CONNECT_SECONDS, TOTAL_SECONDS, TURN_SECONDS = 3.0, 5.0, 10.0, 2.0
QUIET_SECONDS = 30.0  # so long a host that did not answer is left alone
READ_BYTES = 4096
UNREACHED, TOO_LATE = Reply(0), Reply(408)


def resolved(host: str, port: int) -> list[str]:
    """The IP addresses of a host; empty where it has none, or nobody says so in time."""
    found: SimpleQueue[list[str]] = SimpleQueue()

    def ask() -> None:
        try:
            told = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            told = []
        found.put([str(entry[4][0]) for entry in told])

    Thread(target=ask, daemon=True).start()  # the system's resolver takes no time-out
    try:
        return list(dict.fromkeys(found.get(timeout=RESOLVE_SECONDS)))
    except Empty:
        return []


class HttpsWebhooks:
    """Webhooks over HTTPS: one call to a host at a time, and none for a while to one that did not answer.

    `resolve`, `allowed` and `trust` are the system's; a test gives others.
    """

    def __init__(
        self,
        resolve: Callable[[str, int], list[str]] = resolved,
        allowed: Callable[..., bool] = may_be_called,
        trust: ssl.SSLContext | None = None,
        seconds: float = TOTAL_SECONDS,
    ) -> None:
        self._resolve, self._allowed, self._trust, self._seconds = resolve, allowed, trust, seconds
        self._turns: dict[str, Lock] = defaultdict(Lock)
        self._quiet_until: dict[str, float] = {}

    def post(self, place: Webhook, body: bytes, headers: dict[str, str], *, private: bool = False) -> Reply:
        """The answer's status and headers, its body never; status 0: it was not reached, 408: it took too long.

        Raises:
            RejectedError: one of its addresses may not be called (`private`: those of somebody's own network may).
        """
        with self._turn(place.place) as ours:
            if not ours or clock.monotonic() < self._quiet_until.get(place.place, 0.0):
                return UNREACHED
            addresses = self._resolve(place.host, place.port)
            if not all(self._allowed(address, private=private) for address in addresses):
                told = f"{place.place} has an address that may not be called"
                raise RejectedError(told, "name a host that the internet knows")
            reply = asyncio.run(self._ask(place, addresses, body, headers)) if addresses else UNREACHED
            if reply in (UNREACHED, TOO_LATE):
                self._quiet_until[place.place] = clock.monotonic() + QUIET_SECONDS
            return reply

    @contextmanager
    def _turn(self, place: str) -> Iterator[bool]:
        """Whether nobody else asks there now: a slow one must not hold all that goes on in this process."""
        lock = self._turns[place]
        ours = lock.acquire(timeout=TURN_SECONDS)
        try:
            yield ours
        finally:
            if ours:
                lock.release()

    async def _ask(self, place: Webhook, addresses: list[str], body: bytes, headers: dict[str, str]) -> Reply:
        import aiohttp
        from yarl import URL

        url = URL(f"https://{place.place}{place.target}", encoded=True)
        limits = aiohttp.ClientTimeout(total=self._seconds, sock_connect=CONNECT_SECONDS)
        try:
            async with (
                aiohttp.ClientSession(
                    connector=self._connector(addresses),
                    timeout=limits,
                    cookie_jar=aiohttp.DummyCookieJar(),
                    auto_decompress=False,
                    trust_env=False,
                ) as session,
                session.post(url, data=body, headers=headers, allow_redirects=False) as answer,
            ):
                await answer.content.read(READ_BYTES)
                return Reply(answer.status, {name.lower(): value for name, value in answer.headers.items()})
        except TimeoutError:
            return TOO_LATE
        except (aiohttp.ClientError, ValueError, OSError):
            return UNREACHED

    def _connector(self, addresses: list[str]) -> Any:
        """Connects to these addresses, whatever a name means by now; the certificate must be the name's all the same."""
        import aiohttp
        from aiohttp.abc import AbstractResolver, ResolveResult

        class Pinned(AbstractResolver):
            async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[ResolveResult]:
                return [
                    ResolveResult(
                        hostname=host,
                        host=address,
                        port=port,
                        family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                        proto=socket.IPPROTO_TCP,
                        flags=socket.AI_NUMERICHOST,
                    )
                    for address in addresses
                ]

            async def close(self) -> None:
                """Nothing is held."""

        return aiohttp.TCPConnector(
            resolver=Pinned(), use_dns_cache=False, force_close=True, ssl=self._trust or True, limit=1
        )
