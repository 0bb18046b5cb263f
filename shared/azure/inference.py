"""Asking a deployment or an endpoint over HTTP.

`online_endpoints.invoke` keeps headers of one call for the next and has no time-out, so we use clients of our own
(source: AZUREML_CONTRACT section 0, no. 12). Nobody is followed elsewhere: the key and the prompt are the endpoint's.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from shared.azure.seen import Reply

if TYPE_CHECKING:
    import aiohttp

PROBE_SECONDS = 60.0
TOTAL_SECONDS = 180.0
POOL = 64
DEPLOYMENT = "azureml-model-deployment"


class AzureInference:
    """Scoring addresses."""

    def __init__(self) -> None:
        self._sessions: dict[int, aiohttp.ClientSession] = {}

    def probe(self, uri: str, key: str, deployment: str, body: bytes) -> Reply:
        """Asks one deployment, past the traffic rules."""
        import requests

        headers = {**_headers(key), DEPLOYMENT: deployment}
        try:
            answer = requests.post(uri, data=body, headers=headers, timeout=(5, PROBE_SECONDS), allow_redirects=False)
        except requests.Timeout:
            return Reply(408)
        except requests.RequestException:
            return Reply(0)
        return Reply(answer.status_code, dict(answer.headers), answer.content)

    async def ask(self, uri: str, key: str, body: bytes, deployment: str = "") -> Reply:
        """Asks an endpoint over a pooled connection, or one of its deployments past the traffic rules."""
        import aiohttp

        try:
            headers = {**_headers(key), **({DEPLOYMENT: deployment} if deployment else {})}
            async with self._session().post(uri, data=body, headers=headers, allow_redirects=False) as answer:
                return Reply(answer.status, dict(answer.headers), await answer.read())
        except TimeoutError:
            return Reply(408)
        except aiohttp.ClientError:
            return Reply(0)

    def _session(self) -> aiohttp.ClientSession:
        import aiohttp

        loop = asyncio.get_running_loop()
        session = self._sessions.get(id(loop))
        if session is None or session.closed:
            session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=POOL, keepalive_timeout=60),
                timeout=aiohttp.ClientTimeout(total=TOTAL_SECONDS, sock_connect=5),
            )
            self._sessions[id(loop)] = session
        return session


def _headers(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
