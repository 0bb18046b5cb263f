"""The function app over HTTP."""

from __future__ import annotations

import os
from functools import lru_cache
from typing import Any
from urllib.parse import quote

import requests

from shared.errors import DeniedError, NotFoundError, RejectedError, TransientError

TIMEOUT = (5, 230)  # seconds; an answer may take as long as the front end of Azure lets it


@lru_cache(maxsize=1)
def _session() -> requests.Session:
    session = requests.Session()
    session.headers["x-functions-key"] = os.environ.get("DROPTUNE_KEY", "")
    return session


def call(method: str, *path: str, query: dict[str, str] | None = None, body: Any = None) -> Any:
    """One request to the function app; parts of the path are quoted.

    Raises:
        TransientError: it cannot be reached, or the model sleeps.
        ServiceError: one of its kinds, by status.
    """
    url = os.environ["DROPTUNE_URL"] + "/api/" + "/".join(quote(part, safe="") for part in path)
    try:
        answer = _session().request(method, url, params=query, json=body, timeout=TIMEOUT)
    except requests.RequestException as error:
        raise TransientError(
            f"the function app at {os.environ['DROPTUNE_URL']} cannot be reached", str(error)
        ) from error
    if answer.ok:
        return answer.json()
    raise _refused(answer)


def _refused(answer: requests.Response) -> Exception:
    try:
        message = str(answer.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        message = f"HTTP {answer.status_code}"
    if answer.status_code == 401:
        return DeniedError(message, "set DROPTUNE_KEY", 401)
    if answer.status_code == 404:
        return NotFoundError(message, status=404)
    if answer.status_code >= 500 or answer.status_code == 429:
        error = TransientError(message, status=answer.status_code)
        error.retry_after = float(answer.headers.get("Retry-After", "nan") or "nan")
        return error
    return RejectedError(message, status=answer.status_code)
