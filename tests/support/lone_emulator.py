"""The emulator as strangers start it: with its own storage, certificates and identity, and an environment that leads to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from azureml_box.alone import certificates
from azureml_box.alone.azurite import Azurite
from azureml_box.alone.emulator import Emulator

ROOT = Path(__file__).parents[2]


@contextmanager
def lone(home: Path, *options: str) -> Iterator[Emulator]:
    """An emulator in a folder, until the end of the block; its own environment is not set."""
    certificates.ensure(home / "ca")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AZUREML_BOX_AZURITE", str(ROOT / "local/storage/node_modules"))
        patch.setenv("PYTHONPATH", str(ROOT))
        storage = Azurite(home / "storage", home / "ca")
        emulator = Emulator(home / "azureml", home / "ca", storage.account, options)
        try:
            storage.start()
            emulator.start()
            yield emulator
        finally:
            emulator.stop()
            storage.stop()


class Session(requests.Session):
    """One connection that trusts the emulator and has its token."""

    def __init__(self, emulator: Emulator) -> None:
        super().__init__()
        self.url, self.verify, self.trust_env = emulator.url, str(emulator.authority), False
        self.headers["Authorization"] = f"Bearer {emulator.environment['MLFLOW_TRACKING_TOKEN']}"

    def ask(self, verb: str, path: str, body: Any = None, /, **query: str) -> requests.Response:
        """A call with JSON; `path` below the emulator's address."""
        return self.request(verb, f"{self.url}{path}", json=body, params=query, timeout=30, allow_redirects=False)
