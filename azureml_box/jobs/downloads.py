"""One anonymous GET into a file, within limits of time and size: no credentials are sent, none are taken from an address.

Words of the errors: `data-capability.UriMountSession.PyFuseError` and `DataAccessError(NotFound)` as in
github.com/Azure/azure-sdk-for-python/issues/27318, `Content-Length` as in github.com/MicrosoftDocs/azure-docs/issues/111159.
"""

from __future__ import annotations

import http.client
import ssl
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote, urlsplit, urlunsplit

from azureml_box.errors import ArmError

_SILENCE, _CHUNK = 30.0, 1 << 20
_SAFE = "/%:!$&'()*+,;=~-._"  # what a path may hold unquoted, or quoted already
_REASONS = {401: "PermissionDenied", 403: "PermissionDenied", 404: "NotFound", 410: "NotFound"}
_NO_LENGTH = "Mounting http resource requires 'Content-Length' header to be returned by the web server."


class DataAccessError(ArmError):
    """Files at a public address cannot be had; `reason` is Azure's word for it."""

    def __init__(self, reason: str, url: str, words: str) -> None:
        text = f"data-capability.UriMountSession.PyFuseError: DataAccessError({reason}): {plain(url)}: {words}"
        super().__init__(400, "UserError", text)


@dataclass
class Budget:
    """What all files of one input may take: until a moment of `time.monotonic`, and so many bytes."""

    ends: float
    bytes: int

    @classmethod
    def of(cls, seconds: float, size: int) -> Budget:
        """From now on."""
        return cls(time.monotonic() + seconds, size)

    def patience(self) -> float:
        """Seconds for which a server may be silent."""
        return max(min(_SILENCE, self.ends - time.monotonic()), 0.001)

    def spend(self, url: str, count: int) -> None:
        """Count bytes; raises DataAccessError where time or bytes are used up."""
        self.bytes -= count
        if self.bytes < 0:
            raise DataAccessError("SizeLimit", url, "it is larger than the emulator fetches (--public-data-bytes).")
        if time.monotonic() > self.ends:
            raise DataAccessError("Timeout", url, "it took longer than the emulator waits (--public-data-seconds).")


def plain(url: str) -> str:
    """An address as messages show it: what stands before an `@`, and a query, may be secrets."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def download(url: str, path: Path, budget: Budget, *, sized: bool) -> None:
    """Fetch one file; with `sized` only from a server that says its length, as Azure mounts no other (blocks).

    Raises:
        DataAccessError: it is not there, not for everybody, or beyond the limits.
    """
    part = path.with_name(path.name + ".part")
    part.parent.mkdir(parents=True, exist_ok=True)
    try:
        with _opened(url, budget) as answer, part.open("wb") as file:
            _copy(url, answer, file, budget, sized)
        part.replace(path)
    except urllib.error.HTTPError as error:
        reason = _REASONS.get(error.code, "ConnectionFailure")
        raise DataAccessError(reason, url, f"the server answered {error.code}.") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise DataAccessError("ConnectionFailure", url, f"{type(error).__name__}: {error}") from error
    finally:
        part.unlink(missing_ok=True)


def _opened(url: str, budget: Budget) -> Any:
    _must_be_anonymous(url)
    parts = urlsplit(url)
    asked = urlunsplit(parts._replace(path=quote(parts.path, safe=_SAFE), fragment=""))
    headers = {"Accept-Encoding": "identity", "User-Agent": "azureml_box"}
    tls = urllib.request.HTTPSHandler(context=ssl.create_default_context())
    opener = urllib.request.build_opener(tls, _Redirects())
    return opener.open(urllib.request.Request(asked, headers=headers), timeout=budget.patience())


def _copy(url: str, answer: http.client.HTTPResponse, file: IO[bytes], budget: Budget, sized: bool) -> None:
    length = answer.length  # None where it comes in chunks
    if length is None and sized:
        raise DataAccessError("NotSupported", url, _NO_LENGTH)
    if length is not None and length > budget.bytes:
        budget.spend(url, length)
    count = 0
    while chunk := answer.read1(_CHUNK):
        budget.spend(url, len(chunk))
        file.write(chunk)
        count += len(chunk)
    if length is not None and count != length:
        raise DataAccessError("ConnectionFailure", url, f"{count} bytes of {length} came.")


def _must_be_anonymous(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https"):
        raise DataAccessError("InvalidInput", url, "only http and https are fetched.")
    if "@" in parts.netloc:
        raise DataAccessError("InvalidInput", url, "an address with a user's name is not fetched, only public data is.")


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows five, and none to what would not be fetched itself."""

    max_redirections = 5

    def redirect_request(self, request: Any, file: Any, code: int, words: str, headers: Any, url: str) -> Any:
        _must_be_anonymous(url)
        return super().redirect_request(request, file, code, words, headers, url)
