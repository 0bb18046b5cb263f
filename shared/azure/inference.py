"""Asking a deployment or an endpoint over HTTP.

`online_endpoints.invoke` keeps headers of one call for the next and has no time-out, so we use clients of our own
(source: AZUREML_CONTRACT section 0, no. 12). Nobody is followed elsewhere: the key and the prompt are the endpoint's.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from shared.azure.seen import Reply

if TYPE_CHECKING:
    import aiohttp

CONNECT_SECONDS, PROBE_SECONDS, TOTAL_SECONDS, IDLE_SECONDS = 5.0, 60.0, 180.0, 60.0
UNREACHED, TOO_LATE = Reply(0), Reply(408)


class AzureInference:
    """Scoring addresses; `seconds` is how long an answer may take."""

    def __init__(self, seconds: float = TOTAL_SECONDS) -> None:
        self._seconds = seconds
        self._sessions: WeakKeyDictionary[asyncio.AbstractEventLoop, aiohttp.ClientSession] = WeakKeyDictionary()

    def probe(self, uri: str, key: str, deployment: str, body: bytes) -> Reply:
        """Asks one deployment, past the traffic rules."""
        import requests

        times = (CONNECT_SECONDS, PROBE_SECONDS)
        try:
            answer = requests.post(
                uri, data=body, headers=_headers(key, deployment), timeout=times, allow_redirects=False
            )
        except requests.Timeout:
            return TOO_LATE
        except requests.RequestException:
            return UNREACHED
        return Reply(answer.status_code, dict(answer.headers), answer.content)

    async def ask(self, uri: str, key: str, body: bytes, deployment: str = "") -> Reply:
        """Asks an endpoint over a kept connection; a deployment that is named is asked past the traffic rules.

        The names of the answer's headers are in lower case.
        """
        import aiohttp

        try:
            asked = self._session().post(uri, data=body, headers=_headers(key, deployment), allow_redirects=False)
            async with asked as answer:
                headers = {name.lower(): value for name, value in answer.headers.items()}
                return Reply(answer.status, headers, await answer.read())
        except aiohttp.ConnectionTimeoutError:
            return UNREACHED
        except TimeoutError:
            return TOO_LATE
        except aiohttp.ClientError:
            return UNREACHED

    def _session(self) -> aiohttp.ClientSession:
        import aiohttp

        loop = asyncio.get_running_loop()
        session = self._sessions.get(loop)
        if session is None or session.closed:
            # how many may be under way is the line's business (shared/endpoints/line.py)
            session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=IDLE_SECONDS),
                cookie_jar=aiohttp.DummyCookieJar(),  # an endpoint that sets one is not heard
                timeout=aiohttp.ClientTimeout(total=self._seconds, sock_connect=CONNECT_SECONDS),
            )
            self._sessions[loop] = session
        return session


def _headers(key: str, deployment: str) -> dict[str, str]:
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    return {**headers, "azureml-model-deployment": deployment} if deployment else headers
