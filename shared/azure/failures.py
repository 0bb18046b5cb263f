"""The mapping of the SDKs' errors to ours: by status, never by text."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from shared.errors import (
    ConflictError,
    DeniedError,
    NotFoundError,
    RejectedError,
    ServiceError,
    TransientError,
)

_TRANSIENT = {408, 429, 500, 502, 503, 504}


@contextmanager
def azure_errors(doing: str) -> Iterator[None]:
    """Turns what an Azure SDK raises inside into our errors; `doing` ends the sentence "could not …"."""
    from azure.core.exceptions import AzureError

    try:
        yield
    except AzureError as error:
        raise translate(error, doing) from error


def translate(error: Exception, doing: str) -> ServiceError:
    """Our error for an SDK's: 404, 409/412, 401/403, transient ones, and permanent refusals apart."""
    status = getattr(error, "status_code", None)
    if status is None and getattr(error, "response", None) is not None:
        status = error.response.status_code  # type: ignore[attr-defined]
    told = f"could not {doing}: {_message(error)}"
    if status == 404:
        return NotFoundError(told, status=status)
    if status in (409, 412):
        return ConflictError(told, status=status)
    if status in (401, 403):
        return DeniedError(told, "give the app's identity the role that this call needs: docs/permissions.md", status)
    if status is None and not _is_request(error):
        return RejectedError(told)
    if status is None or status in _TRANSIENT or status < 400:  # a success whose body came in half, or as garbage
        return _transient(error, told, status)
    return RejectedError(told, status=status)


def _is_request(error: BaseException | None) -> bool:
    """Whether the connection failed, before or while the answer came.

    A download that was cut off three times comes as a plain HttpResponseError around what cut it off
    (azure-storage-blob 12.31, `_download.py`).
    """
    from azure.core.exceptions import DecodeError, IncompleteReadError, ServiceRequestError, ServiceResponseError

    if isinstance(error, (DecodeError, IncompleteReadError, ServiceRequestError, ServiceResponseError)):
        return True
    inner = getattr(error, "inner_exception", None)
    return isinstance(inner, Exception) and _is_request(inner)


def _transient(error: Exception, told: str, status: int | None) -> TransientError:
    result = TransientError(told, status=status)
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    try:
        result.retry_after = float(headers.get("Retry-After", ""))
    except ValueError:
        result.retry_after = None
    return result


def _message(error: Exception) -> str:
    text = str(getattr(error, "message", "") or error).strip()
    return text.splitlines()[0][:300] if text else type(error).__name__
