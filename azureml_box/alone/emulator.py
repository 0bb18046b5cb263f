"""One emulator as a child process, with all that a client needs to find it."""

from __future__ import annotations

import os
import secrets
import sys
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from azureml_box.alone.azurite import Account
from azureml_box.alone.control import Control
from azureml_box.alone.health import answers
from azureml_box.alone.process import AloneError, Process, free_port
from azureml_box.tokens import sign

SUBSCRIPTION, TENANT = "00000000-0000-4000-8000-000000000001", "22222222-0000-4000-8000-000000000001"
NAME = "azureml-box"
_START_WITHIN = 60.0


class Emulator:
    """A workspace in a folder; `control` steers it, `environment` and `credential` are for clients."""

    def __init__(self, home: Path, authority: Path, account: Account, options: Sequence[str] = ()) -> None:
        self.home, self._authority, self._account, self._options = home, authority, account, options
        self._port, self._workspace_id = free_port(), ""
        self._token, self._header = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
        self.authority = authority / "ca.pem"
        self.url = f"https://127.0.0.1:{self._port}"
        self.subscription, self.resource_group, self.workspace = SUBSCRIPTION, NAME, NAME
        self.control = Control(self.url, self._token, self.authority)
        self._process: Process | None = None

    def start(self) -> None:
        """Begin, and return when it answers.

        Raises:
            AloneError: it does not; with the end of its log.
        """
        self.home.mkdir(parents=True, exist_ok=True)
        self._workspace_id = _kept(self.home / "workspace-id")
        own = str(Path(__file__).resolve().parents[2])
        found = [own, *filter(None, [os.environ.get("PYTHONPATH")])]
        variables = {**os.environ, **self._trust(), **self._secrets(), "PYTHONPATH": os.pathsep.join(found)}
        command = [sys.executable, "-m", "azureml_box", *self._arguments(), *self._options]
        self._process = Process(command, self.home / "azureml.log", variables)
        until = time.monotonic() + _START_WITHIN
        while not answers(f"{self.url}/healthz", self.authority):
            if not self._process.alive or time.monotonic() > until:
                raise AloneError(f"the emulator does not start:\n{self._process.tail()}")
            time.sleep(0.02)

    def stop(self) -> None:
        """End it; what it keeps stays in its folder."""
        if self._process is not None:
            self._process.stop()

    @property
    def alive(self) -> bool:
        """Tell whether its process runs."""
        return self._process is not None and self._process.alive

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._process is not None, "the emulator was not started"
        return self._process.pid

    @property
    def scope(self) -> str:
        """The ARM id of the workspace."""
        return (
            f"/subscriptions/{self.subscription}/resourceGroups/{self.resource_group}"
            f"/providers/Microsoft.MachineLearningServices/workspaces/{self.workspace}"
        )

    @property
    def environment(self) -> dict[str, str]:
        """Return the variables with which unmodified SDKs use it."""
        return {
            **self._trust(),
            "AZURE_SUBSCRIPTION_ID": self.subscription,
            "AZURE_RESOURCE_GROUP": self.resource_group,
            "AZUREML_WORKSPACE_NAME": self.workspace,
            "ARM_CLOUD_METADATA_URL": f"{self.url}/metadata/endpoints?api-version=2019-05-01",
            "REGISTRY_DISCOVERY_ENDPOINT_URL": f"{self.url}/",
            "IDENTITY_ENDPOINT": f"{self.url}/identity/token",
            "IDENTITY_HEADER": self._header,
            # Secrets of a real Azure that lie about in the shell must not win.
            "AZURE_TOKEN_CREDENTIALS": "ManagedIdentityCredential",
            "MLFLOW_TRACKING_URI": f"{self.url}/mlflow/v2.0{self.scope}",
            "MLFLOW_TRACKING_TOKEN": sign(self._signing_key().read_bytes(), TENANT, "client", self.url)[0],
        }

    def client(self) -> Any:
        """Return azure-ai-ml's MLClient for the workspace; needs `environment` in os.environ."""
        from azure.ai.ml import MLClient
        from azure.identity import DefaultAzureCredential

        return MLClient(DefaultAzureCredential(), self.subscription, self.resource_group, self.workspace)

    def _trust(self) -> dict[str, str]:
        return dict.fromkeys(("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"), str(self._authority / "bundle.pem"))

    def _signing_key(self) -> Path:
        return self._authority / "identity.key"

    def _secrets(self) -> dict[str, str]:
        return {
            "AZUREML_BOX_STORAGE_KEY": self._account.key,
            "AZUREML_BOX_SIGNING_KEY": str(self._signing_key()),
            "AZUREML_BOX_CONTROL_TOKEN": self._token,
            "AZUREML_BOX_IDENTITY_HEADER": self._header,
        }

    def _arguments(self) -> list[str]:
        options = {
            "home": self.home,
            "port": self._port,
            "cert": self._authority / "server.pem",
            "key": self._authority / "server.key",
            "token-public-key": self._authority / "identity.pub",
            "subscription": self.subscription,
            "resource-group": self.resource_group,
            "workspace": self.workspace,
            "workspace-id": self._workspace_id,
            "tenant": TENANT,
            "storage-url": self._account.url,
            "storage-account": self._account.name,
            "storage-suffix": self._account.suffix,
        }
        return [f"--{name}={value}" for name, value in options.items()]


def _kept(path: Path) -> str:
    """Return the workspace's id: a folder keeps its own, since containers are named by it."""
    if not path.is_file():
        path.write_text(str(uuid.uuid4()))
    return path.read_text().strip()
