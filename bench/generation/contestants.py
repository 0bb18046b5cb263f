"""Who answers: the box's endpoint, and llama.cpp with nothing before it; both greedy, neither with a cache of prompts."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import requests

from azureml_box.alone.process import free_port

ENDPOINT, DEPLOYMENT = "bench-generation", "one"
AT_ONCE = 8
WITHIN_SECONDS = 120.0


class Contestant(Protocol):
    """Something that answers."""

    def ask(self, prompt: str, tokens: int) -> str:
        """Return the answer to a prompt, of at most so many tokens."""


class Bare:
    """llama.cpp's own server."""

    def __init__(self, url: str, key: str) -> None:
        self._url, self._session = f"{url}/v1/chat/completions", requests.Session()
        self._session.headers["Authorization"] = f"Bearer {key}"

    def ask(self, prompt: str, tokens: int) -> str:
        """Return the answer; RuntimeError where it ended before so many tokens."""
        body = {
            "messages": [{"role": "user", "content": prompt}],
            "max_tokens": tokens,
            "temperature": 0,
            "top_k": 0,
            "top_p": 1.0,
            "min_p": 0.0,
            "repeat_penalty": 1.0,
            "cache_prompt": False,
        }
        answer = self._session.post(self._url, json=body, timeout=WITHIN_SECONDS)
        answer.raise_for_status()
        choice = answer.json()["choices"][0]
        if choice["finish_reason"] != "length":
            raise RuntimeError(f"{prompt!r} was answered in fewer than {tokens} tokens: nothing to compare")
        return str(choice["message"]["content"])


class Endpoint:
    """A managed online endpoint of the box."""

    def __init__(self, uri: str, key: str) -> None:
        self._uri, self._session = uri, requests.Session()
        self._session.headers["Authorization"] = f"Bearer {key}"

    def ask(self, prompt: str, tokens: int) -> str:
        """Return the answer."""
        parameters = {"max_new_tokens": tokens, "do_sample": False}
        talk = [[{"role": "user", "content": prompt}]]
        body = {"input_data": {"input_string": talk, "parameters": parameters}, "params": {}}
        answer = self._session.post(self._uri, json=body, timeout=WITHIN_SECONDS)
        answer.raise_for_status()
        return str(answer.json()[0]["0"])


@contextmanager
def bare(weights: Path) -> Iterator[Bare]:
    """Run llama.cpp until the block ends."""
    port, key = free_port(), secrets.token_urlsafe(16)
    command = [sys.executable, "-m", "bench.generation.bare", str(weights), str(port), str(AT_ONCE), key]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _until_healthy(f"http://127.0.0.1:{port}/health", process)
        yield Bare(f"http://127.0.0.1:{port}", key)
    finally:
        process.kill()
        process.wait()


@contextmanager
def endpoint(model: Path) -> Iterator[Endpoint]:
    """Deploy an MLflow folder to an endpoint of its own until the block ends; needs the box's variables."""
    from azure.ai.ml.entities import ManagedOnlineDeployment, ManagedOnlineEndpoint, Model, OnlineRequestSettings

    from shared.azure import ml

    client = ml.workspace()
    client.online_endpoints.begin_create_or_update(ManagedOnlineEndpoint(name=ENDPOINT, auth_mode="key")).result()
    try:
        deployment = ManagedOnlineDeployment(
            name=DEPLOYMENT,
            endpoint_name=ENDPOINT,
            model=Model(path=str(model), type="mlflow_model", name=ENDPOINT),
            instance_type="Standard_DS3_v2",
            instance_count=1,
            request_settings=OnlineRequestSettings(
                max_concurrent_requests_per_instance=AT_ONCE, request_timeout_ms=90_000
            ),
        )
        client.online_deployments.begin_create_or_update(deployment).result()
        made = client.online_endpoints.get(ENDPOINT)
        made.traffic = {DEPLOYMENT: 100}
        client.online_endpoints.begin_create_or_update(made).result()
        key = client.online_endpoints.get_keys(ENDPOINT).primary_key
        yield Endpoint(str(made.scoring_uri), str(key))
    finally:
        client.online_endpoints.begin_delete(ENDPOINT).result()


def transformers_seconds(weights: Path, tokens: int) -> float:
    """Return the seconds of one answer of transformers' `generate`, in a process of its own."""
    command = [sys.executable, "-m", "bench.generation.with_transformers", str(weights), str(tokens)]
    quiet = {**os.environ, "HF_HUB_OFFLINE": "1", "TRANSFORMERS_VERBOSITY": "error"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300, env=quiet)
    return float(done.stdout.split()[-1])


def _until_healthy(url: str, process: subprocess.Popen[bytes]) -> None:
    ends = time.monotonic() + WITHIN_SECONDS
    while time.monotonic() < ends and process.poll() is None:
        try:
            if requests.get(url, timeout=5).ok:
                return
        except requests.ConnectionError:
            time.sleep(0.05)
    raise RuntimeError("llama.cpp did not start")
