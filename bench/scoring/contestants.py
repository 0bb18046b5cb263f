"""Who is measured: each a process of its own on one core, before the same upstream."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.alone import one_core
from bench.scoring.ours import KEY, MODEL

CACHE = Path(__file__).resolve().parents[2] / ".cache" / "bench"
LITELLM = "litellm[proxy]==1.108.7"
START_SECONDS = 90.0
CHAT = "/v1/chat/completions"


@dataclass(frozen=True)
class Contestant:
    """Where one is asked, with which key and model."""

    url: str
    key: str = KEY
    model: str = MODEL


@contextmanager
def serving(command: Sequence[str], port: int, folder: Path, cores: set[int]) -> Iterator[str]:
    """Run a server until the block ends; yields its address once it listens."""
    environment = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR"}
    for name in ("DROPTUNE_KEY", "DATABASE_URL"):
        environment.pop(name, None)
    with (folder / f"{port}.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, start_new_session=True)
    try:
        os.sched_setaffinity(process.pid, cores)
        _until_listening(process, port, folder)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _until_listening(process: subprocess.Popen[bytes], port: int, folder: Path) -> None:
    ends = time.monotonic() + START_SECONDS
    while time.monotonic() < ends and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"a server did not start: {(folder / f'{port}.log').read_text()[-600:]}")


def module(name: str, *arguments: str) -> list[str]:
    """Return the command of a module of ours."""
    return [sys.executable, "-m", f"bench.scoring.{name}", *arguments]


def litellm() -> str:
    """Return LiteLLM's program in an environment of its own, made once."""
    folder = CACHE / "litellm"
    program, ready = folder / "bin" / "litellm", folder / "ready"
    if not ready.exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True, timeout=120)
        install = [str(folder / "bin" / "python"), "-m", "pip", "install", "-q", LITELLM]
        subprocess.run(install, check=True, timeout=900)
        ready.touch()
    return str(program)


def litellm_config(folder: Path, upstream: str) -> Path:
    """Write its configuration: one model behind the upstream's OpenAI API, a key, nothing else."""
    path = folder / "litellm.yaml"
    path.write_text(
        f"model_list:\n  - model_name: {MODEL}\n    litellm_params:\n"
        f"      {{model: openai/{MODEL}, api_base: '{upstream}/v1', api_key: key}}\n"
        f"general_settings: {{master_key: sk-{KEY}}}\n"
        "litellm_settings: {telemetry: false, drop_params: true, num_retries: 0}\n"
    )
    return path


def nginx() -> str | None:
    """Return nginx's program, or None where the machine has none (`apt install nginx`, or NGINX=PATH)."""
    return os.environ.get("NGINX") or shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")


def nginx_config(folder: Path, port: int, upstream: str) -> Path:
    """Write its configuration: pass everything on over kept connections."""
    path = folder / "nginx.conf"
    address = upstream.removeprefix("http://")
    temporary = " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("proxy", "fastcgi", "uwsgi", "scgi"))
    path.write_text(
        f"daemon off; worker_processes 1; error_log {folder}/nginx.log; pid {folder}/nginx.pid;\n"
        "events { worker_connections 1024; }\n"
        f"http {{ access_log off; client_body_temp_path {folder}/body; {temporary} keepalive_requests 10000000;\n"
        f"upstream behind {{ server {address}; keepalive 128; keepalive_requests 10000000; }}\n"
        f"server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://behind; proxy_http_version 1.1;\n"
        'proxy_set_header Connection ""; } } }\n'
    )
    return path


def cores() -> tuple[set[int], set[int]]:
    """Return the core of the server under test, and those of who asks and of the upstream."""
    own = one_core()
    rest = set(os.sched_getaffinity(0)) - own
    return own, rest or own
