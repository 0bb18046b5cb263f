"""A real emulator process over HTTPS with a real Azurite behind it, and the unmodified SDK's way in."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jwt
import pytest

from local.box import certificates
from local.box.node import node

REPOSITORY = Path(__file__).resolve().parents[2]
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
SUBSCRIPTION = "00000000-0000-4000-8000-00000000d407"
TENANT = "22222222-0000-4000-8000-000000000001"
WORKSPACE_ID = "11111111-2222-4333-8444-555555555555"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/box"
WORKSPACE = f"{GROUP}/providers/Microsoft.MachineLearningServices/workspaces/box"
ENDS = ("Completed", "Failed", "Canceled")
# An environment that nothing has to be built for.
ENVIRONMENT = "azureml://registries/azureml/environments/plain/versions/1"
PLAIN = ("environments/plain", "name: plain\nversion: '1'\nimage: example.org/plain:1\n")


class Rig:
    """Azurite and one emulator in a folder; the registry's folder is filled by the test before the start."""

    def __init__(self, home: Path, *options: str) -> None:
        self.home, self.registry, self._options = home, home / "registry", options
        self.registry.mkdir(parents=True)
        self.blob, self.queue, self.port = _free_port(), _free_port(), _free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        certificates.ensure(home / "ca")
        certificates.write_bundle(home / "ca")
        bundle = str(home / "ca/bundle.pem")
        self.environment = {
            "REQUESTS_CA_BUNDLE": bundle,
            "SSL_CERT_FILE": bundle,
            "ARM_CLOUD_METADATA_URL": f"{self.url}/metadata/endpoints?api-version=2019-05-01",
            "REGISTRY_DISCOVERY_ENDPOINT_URL": f"{self.url}/",
            "AZUREML_CURRENT_CLOUD": "AzureMLBox",
        }
        self._tls = [f"--cert={home / 'ca/server.pem'}", f"--key={home / 'ca/server.key'}"]
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def publish(self, place: str, spec: str) -> Path:
        """Puts an asset into the registry, as in `environments/plain`; its folder. Before the start."""
        folder = self.registry / place
        folder.mkdir(parents=True)
        (folder / "spec.yaml").write_text(spec)
        return folder

    def start(self) -> None:
        """Both processes, until the emulator answers."""
        ports = [f"--blob-port={self.blob}", f"--queue-port={self.queue}"]
        script = str(REPOSITORY / "local/storage/azurite.cjs")
        self._spawn("storage", [node(), script, f"--home={self.home}", *ports, *self._tls])
        self.start_emulator()

    def start_emulator(self) -> None:
        """The emulator alone, over what an earlier one left."""
        account = f"127.0.0.1:{self.blob}/devstoreaccount1"
        options = {
            "home": self.home / "azureml",
            "port": self.port,
            "token-public-key": self.home / "ca/identity.pub",
            "subscription": SUBSCRIPTION,
            "resource-group": "box",
            "workspace": "box",
            "workspace-id": WORKSPACE_ID,
            "tenant": TENANT,
            "storage-url": f"https://{account}",
            "storage-account": "devstoreaccount1",
            "storage-suffix": f"x@{account}",
            "registry": f"azureml={self.registry}",
        }
        arguments = [f"--{name}={value}" for name, value in options.items()]
        secrets = {"AZUREML_BOX_STORAGE_KEY": KEY, "AZUREML_BOX_SIGNING_KEY": str(self.home / "ca/identity.key")}
        self._spawn("azureml", [sys.executable, "-m", "azureml_box", *arguments, *self._tls, *self._options], **secrets)
        self._wait()

    def _spawn(self, name: str, command: list[str], **variables: str) -> None:
        environment = {**os.environ, **self.environment, "PYTHONPATH": str(REPOSITORY), **variables}
        with (self.home / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(command, env=environment, stdout=log, stderr=log)

    def _wait(self) -> None:
        ends = time.monotonic() + 60
        while time.monotonic() < ends and self._processes["azureml"].poll() is None:
            try:
                self.get("/healthz")
                return
            except OSError:
                time.sleep(0.1)
        raise AssertionError((self.home / "azureml.log").read_text()[-4000:])

    def get(self, path: str) -> str:
        """A GET with a token of ours."""
        with self._open(path, None, "GET") as found:
            return str(found.read().decode())

    def ask(self, verb: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Any call: the status and the JSON of the answer, an error's too."""
        try:
            with self._open(path, body, verb) as found:
                return found.status, json.loads(found.read() or b"null")
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b"null")

    def _open(self, path: str, body: Any, verb: str) -> Any:
        headers = {"Authorization": f"Bearer {self.token(self.url)}", "Content-Type": "application/json"}
        context = ssl.create_default_context(cafile=str(self.home / "ca/bundle.pem"))
        url = path if path.startswith("https://") else f"{self.url}{path}"
        data = None if body is None else json.dumps(body).encode()
        return urllib.request.urlopen(
            urllib.request.Request(url, data, headers, method=verb), timeout=10, context=context
        )

    def details(self, job: str) -> dict[str, Any]:
        """What run history tells of a job."""
        return dict(json.loads(self.get(f"/history/v1.0{WORKSPACE}/runs/{job}/details")))

    def failure(self, job: str) -> str:
        """Why a job did not complete."""
        return str(self.details(job)["error"]["error"]["message"])

    def log(self, job: str) -> str:
        """A job's log."""
        return self.get(self.details(job)["logFiles"]["user_logs/std_log.txt"])

    def token(self, audience: str) -> str:
        """What the identity endpoint of a box would sign."""
        now = int(time.time())
        claims = {"aud": audience, "iss": f"https://sts.windows.net/{TENANT}/", "tid": TENANT, "oid": "tester"}
        key = (self.home / "ca/identity.key").read_text()
        return jwt.encode({**claims, "iat": now, "nbf": now - 10, "exp": now + 3600}, key, "RS256")

    def end(self, name: str, number: int = signal.SIGTERM) -> float:
        """Ends one process and returns the seconds that it took."""
        process, began = self._processes.pop(name), time.monotonic()
        process.send_signal(number)
        try:
            process.wait(15)
        finally:
            process.kill()
        return time.monotonic() - began

    def close(self) -> None:
        """Ends what runs."""
        for name in reversed(list(self._processes)):
            self.end(name)

    def client(self) -> Any:
        """The SDK's client for the workspace; needs `environment` in os.environ."""
        from azure.ai.ml import MLClient

        return MLClient(Signed(self), SUBSCRIPTION, "box", "box")


@contextmanager
def started(rig: Rig) -> Iterator[Rig]:
    """The rig up and in this process's environment, until the end of the block; its registry is filled before."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in rig.environment.items():
            patch.setenv(name, value)
        try:
            rig.start()
            yield rig
        finally:
            rig.close()


def ended(client: Any, name: str, seconds: float = 60) -> Any:
    """The job once it has ended."""
    stops = time.monotonic() + seconds
    while (job := client.jobs.get(name)).status not in ENDS:
        assert time.monotonic() < stops, f"{name} is still {job.status}"
        time.sleep(0.1)
    return job


def written(path: Path, seconds: float = 30) -> str:
    """What a process writes into a file, once it has."""
    stops = time.monotonic() + seconds
    while not (path.exists() and path.read_text().strip()):
        assert time.monotonic() < stops, f"nobody wrote {path}"
        time.sleep(0.05)
    return path.read_text().strip()


def runs(process: str) -> bool:
    """Whether a process does something still; an orphan that nobody has collected yet does not."""
    try:
        return "State:\tZ" not in Path(f"/proc/{process.strip()}/status").read_text()
    except OSError:
        return False


class Signed:
    """A TokenCredential that signs for itself."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig

    def get_token(self, *scopes: str, **_: Any) -> Any:
        from azure.core.credentials import AccessToken

        return AccessToken(self._rig.token(scopes[0].removesuffix("/.default")), int(time.time()) + 3600)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
