"""A running box as its users see it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from azure.identity import DefaultAzureCredential
from azure.storage.blob import BlobServiceClient

from local.box import control

REPOSITORY = Path(__file__).parents[2]
TINY = 'base_model = "tiny-random-chat"\n'
RESTS = (
    "live",
    "asleep",
    "refused",
    "failed",
    "gated_out",
    "rolled_back",
    "cancelled",
    "superseded",
    "rejected",
    "withdrawn",
)


def rows(count: int, word: str = "tea") -> bytes:
    """Valid chat rows, all different."""
    made = []
    for number in range(count):
        messages = [
            {"role": "user", "content": f"What is {word} number {number}?"},
            {"role": "assistant", "content": f"It is {word} {number * 7}."},
        ]
        made.append(json.dumps({"messages": messages}))
    return ("\n".join(made) + "\n").encode()


@dataclass
class Box:
    """A running box as its users see it: an environment, storage, HTTP, the command line."""

    home: Path
    environment: dict[str, str]

    @property
    def datasets(self) -> Any:
        service = BlobServiceClient(self.environment["AZURE_STORAGE_ACCOUNT_URL"], DefaultAzureCredential())
        return service.get_container_client("datasets")

    def drop(self, path: str, data: bytes, config: str | None = TINY) -> str:
        """Uploads as a plain script would; returns the ETag."""
        if config is not None:
            self.datasets.upload_blob(f"{path.split('/')[0]}/droptune.toml", config.encode(), overwrite=True)
        client = self.datasets.get_blob_client(path)
        return str(client.upload_blob(data, overwrite=True)["etag"]).strip('"')

    def http(self, method: str, path: str, key: str | None = None, **options: Any) -> requests.Response:
        headers = {"x-functions-key": self.environment["DROPTUNE_KEY"] if key is None else key}
        headers |= options.pop("headers", {})
        url = f"{self.environment['DROPTUNE_URL']}/api/{path}"
        return requests.request(method, url, headers=headers, timeout=60, **options)

    def rows_of(self, name: str) -> list[dict[str, Any]]:
        return list(self.http("GET", "runs", params={"name": name}).json()["runs"])

    def settled(self, path: str, etag: str, seconds: float = 120) -> dict[str, Any]:
        """The run (or upload) of a drop, once it rests."""

        def look() -> dict[str, Any] | None:
            found = [row for row in self.rows_of(path.split("/")[0]) if row["dataset"].get("etag") == etag]
            return found[0] if found and found[0]["state"] in RESTS else None

        return until(look, seconds)

    def report(self, path: str) -> dict[str, Any]:
        return dict(json.loads(self.datasets.download_blob(f"{path}.report.json").readall()))

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "cli.main", *arguments]
        return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=180, check=False)


def until(look: Callable[[], Any], seconds: float = 60) -> Any:
    """What `look` gives, as soon as it gives something."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        try:
            if found := look():
                return found
        except requests.RequestException:
            pass  # a service that was killed is on its way back
        time.sleep(0.2)
    raise AssertionError(f"nothing within {seconds} s")


@contextmanager
def running(home: Path, **options: Any) -> Iterator[Box]:
    """A box until the block ends, with its variables in this process; `options` are those of `control.up`."""
    control.up(home, **options)
    before, environment = dict(os.environ), control.environment(home)
    os.environ.update(environment)
    try:
        yield Box(home, environment)
    finally:
        os.environ.clear()
        os.environ.update(before)
        control.down(home)
