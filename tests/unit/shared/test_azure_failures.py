"""Invariants 37 and 39: which of an SDK's errors pass by themselves. An answer that was cut off says nothing about the call."""

from __future__ import annotations

from typing import Any

import pytest
from azure.core.exceptions import (
    DecodeError,
    HttpResponseError,
    IncompleteReadError,
    ServiceRequestError,
    ServiceResponseError,
)

from shared.azure.failures import translate
from shared.errors import ConflictError, DeniedError, NotFoundError, RejectedError, TransientError


class Answer:
    """As much of a response as the SDK's errors look at."""

    reason, headers = "said so", {"Retry-After": "7"}

    def __init__(self, status: int) -> None:
        self.status_code = status


def http(status: int, kind: Any = HttpResponseError) -> Any:
    return kind(message="no", response=Answer(status))


def cut_off(kind: Any) -> HttpResponseError:
    """As the storage SDK tells of a download that was cut off each time."""
    inner = kind("Connection broken: IncompleteRead(1505 bytes read, 1506 more expected)")
    return HttpResponseError(inner, error=inner)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (IncompleteReadError("Connection broken: IncompleteRead(116 bytes read, 117 more expected)"), TransientError),
        (cut_off(IncompleteReadError), TransientError),
        (cut_off(DecodeError), TransientError),
        (HttpResponseError("no connection was made, and none failed"), RejectedError),
        (http(200), TransientError),
        (http(206, IncompleteReadError), TransientError),
        (http(200, DecodeError), TransientError),
        (ServiceRequestError("refused"), TransientError),
        (ServiceResponseError("reset"), TransientError),
        *((http(status), TransientError) for status in (408, 429, 500, 502, 503, 504)),
        (http(400), RejectedError),
        (http(501), RejectedError),
        *((http(status), DeniedError) for status in (401, 403)),
        (http(404), NotFoundError),
        *((http(status), ConflictError) for status in (409, 412)),
    ],
)
def test_what_passes_is_told_from_what_does_not(error: Exception, expected: type[Exception]) -> None:
    assert type(translate(error, "read it")) is expected


def test_a_pause_that_was_asked_for_is_kept() -> None:
    found = translate(http(503), "read it")
    assert isinstance(found, TransientError) and found.retry_after == 7.0
