"""Asking a deployment or an endpoint over HTTP.

`online_endpoints.invoke` keeps headers of one call for the next and has no time-out, so we use clients of our own
(source: AZUREML_CONTRACT section 0, no. 12). Nobody is followed elsewhere: the key and the prompt are the endpoint's.
"""

from __future__ import annotations

import asyncio
from weakref import WeakKeyDictionary

from shared.azure.http_pool import HttpPool
from shared.azure.seen import Reply

PROBE_SECONDS = 60.0


class AzureInference:
    """Scoring addresses."""

    def __init__(self) -> None:
        self._pools: WeakKeyDictionary[asyncio.AbstractEventLoop, HttpPool] = WeakKeyDictionary()

    def probe(self, uri: str, key: str, deployment: str, body: bytes) -> Reply:
        """Asks one deployment, past the traffic rules."""
        import requests

        headers = {**_headers(key), "azureml-model-deployment": deployment}
        try:
            answer = requests.post(uri, data=body, headers=headers, timeout=(5, PROBE_SECONDS), allow_redirects=False)
        except requests.Timeout:
            return Reply(408)
        except requests.RequestException:
            return Reply(0)
        return Reply(answer.status_code, dict(answer.headers), answer.content)

    async def ask(self, uri: str, key: str, body: bytes, deployment: str = "") -> Reply:
        """Asks an endpoint over a kept connection; a deployment that is named is asked past the traffic rules."""
        headers = _headers(key)
        if deployment:
            headers["azureml-model-deployment"] = deployment
        return await self._pool().post(uri, headers, body)

    def _pool(self) -> HttpPool:
        loop = asyncio.get_running_loop()
        pool = self._pools.get(loop)
        if pool is None:
            pool = self._pools[loop] = HttpPool()
        return pool


def _headers(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
