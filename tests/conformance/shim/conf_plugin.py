"""pytest plugin: runs azure-ai-ml's own tests live against the box, and proves that it did.

- hands out the fixtures that Azure's internal test tools would (`test_proxy`, `recorded_test`, ...);
- signs in with `DefaultAzureCredential` where the tests would use the Azure CLI;
- writes each request that reached the wire to $CONF_CALLS and each result, with the number of
  requests that the box answered, to $CONF_RESULTS (JSON lines);
- fails any request to a host that isn't the box's ($CONF_HOSTS), so nothing else can answer.
"""

import json
import os
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

import azure.identity
import pytest
import requests
from devtools_testutils.proxy_fixtures import EnvironmentVariableSanitizer, VariableRecorder

# The tests' conftest picks the Azure CLI when no service principal is set. The box gives a managed identity.
azure.identity.AzureCliCredential = azure.identity.DefaultAzureCredential  # type: ignore[misc]

_SLEEP_SCALE = float(os.environ.get("CONF_SLEEP_SCALE", "0.05"))
_HOSTS = set(filter(None, os.environ.get("CONF_HOSTS", "").split(",")))
_LRO_HEADERS = ("azure-asyncoperation", "location", "retry-after", "operation-location")


class _Wire:
    """What went over the wire, for the test that runs now."""

    test = ""
    answered = 0
    refused = 0


def _append(path_variable: str, record: dict) -> None:
    path = os.environ.get(path_variable)
    if path:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")


@lru_cache
def _is_the_box(host: str, name: str) -> bool:
    """Whether a host is one that the box's environment names, or is on this machine."""
    if host in _HOSTS or name in _HOSTS:
        return True
    try:
        return all(str(found[4][0]).startswith(("127.", "::1")) for found in socket.getaddrinfo(name, None))
    except OSError:
        return False


_send = requests.Session.send


def _recording_send(session: requests.Session, request: requests.PreparedRequest, **kwargs):  # type: ignore[no-untyped-def]
    url = urlsplit(request.url or "")
    host = (url.netloc or "").rpartition("@")[2]
    if not _is_the_box(host, url.hostname or ""):
        _Wire.refused += 1
        _append(
            "CONF_CALLS",
            {"test": _Wire.test, "method": request.method, "url": request.url, "status": "refused: not the box"},
        )
        raise requests.ConnectionError(f"not the box: {url.scheme}://{host}")
    response = _send(session, request, **kwargs)
    _Wire.answered += 1
    _append(
        "CONF_CALLS",
        {
            "test": _Wire.test,
            "method": request.method,
            "url": request.url,
            "status": response.status_code,
            "lro": {k: v for k, v in response.headers.items() if k.lower() in _LRO_HEADERS},
            "sent": {
                k: v
                for k, v in request.headers.items()
                if k.lower() not in {"authorization", "cookie", "x-identity-header"}
            },
        },
    )
    return response


requests.Session.send = _recording_send  # type: ignore[method-assign]


@pytest.fixture(scope="session")
def test_proxy() -> None:
    """There is none: requests go straight to the box."""


@pytest.fixture
def recorded_test(test_proxy: None) -> None:
    """Nothing is recorded."""


@pytest.fixture
def variable_recorder() -> VariableRecorder:
    return VariableRecorder()


@pytest.fixture
def environment_variables() -> EnvironmentVariableSanitizer:
    return EnvironmentVariableSanitizer(os.environ)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Shorten the tests' waits for Azure's list index; a local box has none."""
    utils = sys.modules.get("test_utilities.utils")
    if utils:
        utils.sleep_if_live = lambda seconds: time.sleep(seconds * _SLEEP_SCALE)  # type: ignore[attr-defined]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Take the skip mark off the tests listed in $CONF_UNSKIP, and the tests' own time-outs (up to an hour) off all."""
    listed = os.environ.get("CONF_UNSKIP")
    revived = set(Path(listed).read_text(encoding="utf-8").split()) if listed else set()
    for item in items:
        for node in item.listchain():
            node.own_markers = [
                mark
                for mark in node.own_markers
                if mark.name != "timeout" and not (mark.name == "skip" and item.nodeid in revived)
            ]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    _Wire.test, _Wire.answered, _Wire.refused = item.nodeid, 0, 0
    # The SDK keeps the ids of anonymous components in the temporary folder: each test begins with none.
    before = tempfile.tempdir
    with tempfile.TemporaryDirectory() as tempfile.tempdir:
        try:
            return (yield)
        finally:
            tempfile.tempdir = before


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo):  # type: ignore[no-untyped-def]
    report = yield
    decides = (
        report.when == "call"
        or (report.when == "setup" and not report.passed)
        or (report.when == "teardown" and report.failed)
    )
    if decides:
        reason = ""
        if report.failed and call.excinfo:
            reason = f"{call.excinfo.typename}: {str(call.excinfo.value).strip()[:600]}"
        elif report.skipped:
            reason = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)[:300]
        _append(
            "CONF_RESULTS",
            {
                "test": item.nodeid,
                "when": report.when,
                "outcome": report.outcome,
                "seconds": round(report.duration, 2),
                "answered": _Wire.answered,
                "refused": _Wire.refused,
                "reason": reason,
            },
        )
    return report
