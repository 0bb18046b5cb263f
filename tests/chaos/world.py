"""The world outside droptune, over its own doors: Azure ML's REST, the blobs, the emulator's log of calls and its bill."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import requests
from azure.core.exceptions import AzureError, ResourceNotFoundError
from azure.storage.blob import BlobServiceClient, ExponentialRetry

from local.box import config, control

T = TypeVar("T")
FOREIGN_ENDPOINT, FOREIGN_JOB = "someone-elses-endpoint", "someone-elses-job"
_ENVIRONMENT = "azureml://registries/azureml/environments/acft-hf-nlp-gpu/versions/1"


class World:
    """A box as seen by somebody who knows nothing of droptune's records."""

    def __init__(self, home: Path) -> None:
        self.home, self.box = home, config.load(home)
        self.environment = control.environment(home)
        bundle = self.environment["REQUESTS_CA_BUNDLE"]
        self._http = requests.Session()
        self._http.verify = bundle
        self._http.trust_env = False
        self._http.headers["Authorization"] = f"Bearer {self.environment['MLFLOW_TRACKING_TOKEN']}"
        retries = ExponentialRetry(initial_backoff=1, increment_base=1, retry_total=12)
        self._blobs = BlobServiceClient(
            self.box.url("blob"),
            credential={"account_name": config.ACCOUNT, "account_key": config.ACCOUNT_KEY},
            retry_policy=retries,
            connection_verify=bundle,
            connection_timeout=5,
            read_timeout=10,
        )

    # Blobs

    def upload(self, path: str, data: bytes) -> None:
        """Writes into the container `datasets`, until it is written."""
        persistently(lambda: self._blobs.get_blob_client("datasets", path).upload_blob(data, overwrite=True))

    def names(self, container: str) -> list[str]:
        """The blobs of a container."""
        client = self._blobs.get_container_client(container)
        return persistently(lambda: [str(blob.name) for blob in client.list_blobs()])

    def read(self, container: str, path: str) -> bytes:
        """A blob's bytes."""
        client = self._blobs.get_blob_client(container, path)
        return persistently(lambda: bytes(client.download_blob().readall()))

    def report(self, path: str) -> dict[str, Any]:
        """The report beside an upload, empty where there is none."""
        client = self._blobs.get_blob_client("datasets", f"{path}.report.json")

        def once() -> dict[str, Any]:
            try:
                return dict(json.loads(client.download_blob().readall()))
            except ResourceNotFoundError:
                return {}

        return persistently(once)

    # Azure ML

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """One call below the workspace, tried until it is answered."""

        def once() -> Any:
            url = path if path.startswith("https") else f"{self.box.url('azureml')}{self.box.workspace_scope}{path}"
            query = {} if "api-version=" in url else {"api-version": _version(path)}
            answer = self._http.request(method, url, json=body, params=query, timeout=20)
            if answer.status_code == 404:
                return None
            if answer.status_code in (400, 409):
                raise AssertionError(f"{method} {path}: {answer.text}")
            answer.raise_for_status()
            return answer.json() if answer.content else None

        return persistently(once)

    def all(self, path: str) -> list[dict[str, Any]]:
        """All pages of a listing."""
        return list(self._pages(path))

    def _pages(self, path: str) -> Iterator[dict[str, Any]]:
        following: str | None = path
        while following:
            page = self.ask("GET", following) or {}
            yield from page.get("value", [])
            following = page.get("nextLink")

    def emulator(self, path: str) -> Any:
        """What the emulator tells of itself below `/_emulator/`; raises where it does not answer now."""
        url = f"{self.box.url('azureml')}/_emulator/{path}"
        headers = {"Authorization": f"Bearer {self.box.control_token}"}
        answer = self._http.get(url, headers=headers, timeout=10)
        answer.raise_for_status()
        return answer.json()

    def settle_strangers(self) -> None:
        """Makes an endpoint and a job that are none of droptune's business."""
        endpoint = {"location": "eastus", "identity": {"type": "SystemAssigned"}, "properties": {"authMode": "Key"}}
        self.ask("PUT", f"/onlineEndpoints/{FOREIGN_ENDPOINT}", endpoint)
        job = {"jobType": "Command", "command": "true", "environmentId": _ENVIRONMENT}
        self.ask("PUT", f"/jobs/{FOREIGN_JOB}", {"properties": job})

    def strangers(self) -> dict[str, Any]:
        """What they are like now."""
        return {
            path: self.ask("GET", path) for path in (f"/onlineEndpoints/{FOREIGN_ENDPOINT}", f"/jobs/{FOREIGN_JOB}")
        }


def _version(path: str) -> str:
    """What azure-ai-ml asks for, by kind."""
    return (
        "2023-04-01"
        if path.startswith("/onlineEndpoints")
        else "2025-01-01-preview"
        if "/jobs" in path
        else "2023-08-01-preview"
    )


def persistently(once: Callable[[], T], seconds: float = 120) -> T:
    """What `once` gives, tried again while services are broken, killed or away."""
    until = time.monotonic() + seconds
    while True:
        try:
            return once()
        except (requests.RequestException, AzureError, ValueError):
            if time.monotonic() > until:
                raise
            time.sleep(0.3)
