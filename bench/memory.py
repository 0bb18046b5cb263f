"""Memory: the box at rest, and a deployment of the real small model."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import tempfile
import time
from http.client import HTTPConnection
from pathlib import Path

import psutil
import yaml

from bench.row import Row
from local.box import control, state

MODEL = "SmolLM2-135M-Instruct"
WITHIN_SECONDS = 60.0


def at_rest(home: Path) -> Row:
    """All services' processes and the supervisor; pages that they share count in each."""
    services = control.status(home).services
    known = state.read(home)
    supervisor = psutil.Process(known.supervisor).memory_info().rss / 1024**2 if known else 0.0
    each = ", ".join(f"{one.name} {one.rss_mb:.0f}" for one in services)
    total = sum(one.rss_mb for one in services) + supervisor
    return Row("box at rest", 600, total, "MB", f"RSS: {each}, supervisor {supervisor:.0f}")


def deployment(home: Path) -> Row:
    """The server of a deployment, started as the emulator starts it, over the real model, after an answer."""
    spec = yaml.safe_load((home / "registry" / "models" / MODEL / "spec.yaml").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory(prefix="droptune-bench-") as folder:
        path = Path(folder) / "s"
        command = [sys.executable, "-m", "azureml_box.serving.server", "--socket", str(path), "--model", spec["path"]]
        server = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
        try:
            _ask(path)
            mb = psutil.Process(server.pid).memory_info().rss / 1024**2
        finally:
            server.kill()
            server.wait()
    return Row("a deployment", 400, mb, "MB", f"RSS of its server with {MODEL}, after an answer")


def _ask(path: Path) -> None:
    talk = [[{"role": "user", "content": "Say something."}]]
    body = {"input_data": {"input_string": talk, "parameters": {"max_new_tokens": 40}}, "params": {}}
    connection = _Local(path)
    connection.request("POST", "/score", json.dumps(body), {"Content-Type": "application/json"})
    answer = connection.getresponse()
    if answer.status != 200:
        raise RuntimeError(f"the deployment's server answered {answer.status}: {answer.read()[:300]!r}")
    answer.read()


class _Local(HTTPConnection):
    """HTTP over a Unix socket, waited for until it listens."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=WITHIN_SECONDS)
        self._path = path

    def connect(self) -> None:
        """Connect as soon as somebody listens."""
        ends = time.monotonic() + WITHIN_SECONDS
        while True:
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.settimeout(WITHIN_SECONDS)
            try:
                return self.sock.connect(str(self._path))
            except OSError:
                self.sock.close()
                if time.monotonic() > ends:
                    raise
                time.sleep(0.05)
