"""One call on a blob as plain HTTP: our own token, our errors, a few tries; for bytes in bulk.

The SDK is taken for everything else. Here it costs half of the speed: it reads by 4 MiB and copies (STYLE, "Libraries").
"""

from __future__ import annotations

import os
import random
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from threading import Event
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote
from uuid import uuid4

from shared.azure.credential import credential
from shared.azure.failures import azure_errors, translate
from shared.errors import DeniedError, TransientError
from shared.settings import settings

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse, PoolManager

T = TypeVar("T")
MIB = 1024 * 1024
SCOPE = "https://storage.azure.com/.default"
VERSION = "2023-11-03"
CONNECT_SECONDS, READ_SECONDS = 5, 30
TRIES = 4
# A service that asks for more is busy: the caller's message comes again later, and the function need not stay for it.
LONGEST_PAUSE = 30.0
CONNECTIONS = 16


class _RefusedError(Exception):
    """An answer in the shape of the SDK's error, so that both are mapped by one table."""

    def __init__(self, answer: BaseHTTPResponse) -> None:
        text = re.search(rb"<Message>([^<\n]*)", answer.read(16384, decode_content=False) or b"")
        code = answer.headers.get("x-ms-error-code") or f"HTTP {answer.status}"
        self.message = text[1].decode(errors="replace").strip() if text else code
        self.status_code, self.response = answer.status, answer
        super().__init__(self.message)


def address(container: str, path: str) -> str:
    """The URL of a blob."""
    return f"{settings().account_url.rstrip('/')}/{container}/{quote(path, safe='/~')}"


@contextmanager
def call(
    doing: str, method: str, url: str, headers: Mapping[str, str], expected: int, body: bytes | bytearray | None = None
) -> Iterator[BaseHTTPResponse]:
    """The answer to one request, its body not read yet; left early, its connection is closed.

    Raises:
        ServiceError: as `shared.azure.failures` maps it, also for a body that ends too early; `doing` ends the sentence
            "could not …".
    """
    from urllib3.exceptions import HTTPError

    with azure_errors(doing):
        own = _own_headers()
    try:
        answer = _connections(_authorities()).request(
            method,
            url,
            body=body,  # type: ignore[arg-type]  # its types forget bytearray, which spares a copy of each block
            headers={**own, **headers},
            preload_content=False,
            retries=False,
        )
        try:
            if answer.status != expected:
                raise translate(_RefusedError(answer), doing)
            yield answer
        finally:
            answer.close()
    except HTTPError as error:
        raise TransientError(f"could not {doing}: {error}") from error


def persistently(once: Callable[[], T], stop: Event) -> T:
    """What `once` returns, called again after what passes by itself, and once with a new token.

    Raises:
        ServiceError: the last try's, or one that asks for a pause of more than half a minute, or `stop` was set.
    """
    renewed = False
    for attempt in range(1, TRIES + 1):
        try:
            return once()
        except TransientError as error:
            pause = (error.retry_after or 0.2 * 2**attempt) * random.uniform(1, 1.5)
            if attempt == TRIES or pause > LONGEST_PAUSE or stop.wait(pause):
                raise
        except DeniedError as error:
            if error.status != 401 or renewed or attempt == TRIES:
                raise
            renewed = True
            credential.cache_clear()  # its cache holds the token that was refused
    raise AssertionError("the last try returns or raises")


def _own_headers() -> dict[str, str]:
    """The credential keeps its token and renews it before it expires: 0.01 ms a call."""
    return {
        "Authorization": f"Bearer {credential().get_token(SCOPE).token}",
        "Accept-Encoding": "identity",
        "x-ms-version": VERSION,
        "x-ms-client-request-id": str(uuid4()),
    }


def _authorities() -> str:
    """The file of certificate authorities, found as requests finds it for the SDKs."""
    from certifi import where

    names = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
    return next((os.environ[name] for name in names if os.environ.get(name)), where())


@lru_cache(maxsize=2)
def _connections(authorities: str) -> PoolManager:
    from urllib3 import PoolManager, Timeout

    limits = Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS)
    return PoolManager(maxsize=CONNECTIONS, ca_certs=authorities, cert_reqs="CERT_REQUIRED", timeout=limits)
