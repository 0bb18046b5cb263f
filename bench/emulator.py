"""The emulator alone: its start, its memory, one asset, and pages of ten thousand jobs."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from azureml_box.alone import certificates
from azureml_box.alone.azurite import Azurite
from azureml_box.alone.emulator import Emulator
from azureml_box.store import Store
from bench.row import Row, middle

JOBS, STARTS, READS = 10_000, 5, 300
_NODE_MODULES = Path(__file__).parents[1] / "local" / "storage" / "node_modules"
_REST_SECONDS = 2.0


def measure() -> list[Row]:
    """Measure all, in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="emulator-bench-") as folder, _storage(Path(folder)) as azurite:
        home = Path(folder)
        rows = [_start(home, azurite)]
        _fill(home / "full")
        with _emulator(home / "full", home, azurite) as emulator:
            return [*rows, _memory(emulator), _asset(emulator), *_pages(emulator)]


@contextmanager
def _storage(home: Path) -> Iterator[Azurite]:
    certificates.ensure(home / "ca")
    azurite = Azurite(home / "storage", home / "ca")
    os.environ.setdefault("AZUREML_BOX_AZURITE", str(_NODE_MODULES))
    azurite.start()
    try:
        with _emulator(home / "first", home, azurite):  # waits for the storage, which the starts below shall not
            pass
        yield azurite
    finally:
        azurite.stop()


@contextmanager
def _emulator(place: Path, home: Path, azurite: Azurite) -> Iterator[Emulator]:
    emulator = Emulator(place, home / "ca", azurite.account)
    try:
        emulator.start()
        yield emulator
    finally:
        emulator.stop()


def _start(home: Path, azurite: Azurite) -> Row:
    seconds = []
    for number in range(STARTS):
        began = time.monotonic()
        with _emulator(home / f"start-{number}", home, azurite):
            seconds.append(time.monotonic() - began)
    return middle("emulator: start of a fresh workspace", 2, "s", seconds, "until /healthz answers, storage running")


def _fill(home: Path) -> None:
    """Ten thousand pipelines, as the emulator keeps them."""
    store = Store(home / "azureml.sqlite")
    properties = {"jobType": "Pipeline", "status": "Completed", "tags": {}, "properties": {}, "inputs": {"a": {}}}
    for number in range(JOBS):
        name = f"job-{number:05}"
        store.put(
            "jobs", name, {"name": name, "properties": properties, "_parent": None, "_root": name, "_created": ""}
        )
    store.close()


def _memory(emulator: Emulator) -> Row:
    time.sleep(_REST_SECONDS)
    process = psutil.Process(emulator.pid)
    return Row(
        "emulator: memory at rest", 150, process.memory_info().rss / 1e6, "MB", f"RSS, {JOBS:,} jobs in its store"
    )


def _asset(emulator: Emulator) -> Row:
    ask = _client(emulator)
    path = "/environments/plain/versions/1?api-version=2024-04-01"
    ask("PUT", path, {"properties": {"image": "example.org/plain:1"}})
    return middle("emulator: GET of one asset", 5, "ms", _times(lambda: ask("GET", path), READS), "HTTPS, kept alive")


def _pages(emulator: Emulator) -> Iterator[Row]:
    ask, first = _client(emulator), "/jobs?api-version=2024-10-01"
    links, seconds, link = [], [], first
    while link:
        began = time.perf_counter()
        page = ask("GET", link)
        seconds.append((time.perf_counter() - began) * 1000)
        links.append(link)
        link = page.get("nextLink", "")
    how = f"{len(links)} pages of 100"
    yield middle("emulator: a page of a list of 10,000 jobs", 50, "ms", seconds, how)
    early, late = (min(_times(lambda link=link: ask("GET", link), 20)) for link in (links[1], links[-2]))  # type: ignore[misc]
    yield Row("emulator: the last page against the first", 1.5, late / early, "×", f"{late:.1f} ms and {early:.1f} ms")


def _times(call: Callable[[], Any], count: int) -> list[float]:
    found = []
    for _ in range(count):
        began = time.perf_counter()
        call()
        found.append((time.perf_counter() - began) * 1000)
    return found


def _client(emulator: Emulator) -> Callable[..., dict[str, Any]]:
    import requests

    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {emulator.environment['MLFLOW_TRACKING_TOKEN']}"
    session.trust_env = False  # the shell's own bundle would win over the session's
    session.verify = str(emulator.authority)

    def ask(method: str, path: str, body: Any = None) -> dict[str, Any]:
        url = path if path.startswith("https://") else f"{emulator.url}{emulator.scope}{path}"
        answer = session.request(method, url, json=body, timeout=30)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    return ask
