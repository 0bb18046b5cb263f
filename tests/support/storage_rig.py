"""The box's own storage and identity as processes, and the app's environment for them in this process."""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from local.box import certificates, config, environment, provision
from local.box.services import AZUREML, IDENTITY, STORAGE, Service, child_environment
from shared.azure import arm, ml, storage
from shared.azure.credential import credential
from shared.azure.outside import outside
from shared.settings import settings


@dataclass(frozen=True)
class StorageRig:
    """What runs, and the variables with which an app reaches it."""

    config: config.BoxConfig
    variables: dict[str, str]


@contextmanager
def storage_rig(home: Path) -> Iterator[StorageRig]:
    """Both services, until the end of the block; our own code in this process talks to them."""
    made = config.load_or_create(home)
    certificates.ensure(made.ca)
    processes = [_start(made, service) for service in (IDENTITY, STORAGE)]
    try:
        for service in (IDENTITY, STORAGE):
            _wait(made, service)
        asyncio.run(provision.storage(made))
        rig = StorageRig(made, environment.client(made))
        with exported(rig.variables):
            yield rig
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(5)


@contextmanager
def azure_ml_beside(home: Path) -> Iterator[config.BoxConfig]:
    """The storage, the identity and the Azure ML of a box, which our own code in this process talks to."""
    (home / "registry").mkdir(parents=True)
    with storage_rig(home) as rig:
        process = _start(rig.config, AZUREML)
        try:
            _wait(rig.config, AZUREML)
            yield rig.config
        finally:
            process.terminate()
            process.wait(10)


@contextmanager
def exported(variables: dict[str, str]) -> Iterator[None]:
    """The variables in our environment, and nothing remembered from before."""
    before = dict(os.environ)
    os.environ.update(variables)
    forget()
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
        forget()


def forget() -> None:
    """Settings, credential, clients and what was remembered are made anew at their next use."""
    known = (settings, credential, storage._service, ml.workspace, ml.registry, ml._cloud, arm._client, arm.base_url)
    for remembered in known:
        remembered.cache_clear()
    outside().memory.clear()


def _start(made: config.BoxConfig, service: Service) -> subprocess.Popen[bytes]:
    with (made.home / f"{service.name}.log").open("ab") as log:
        variables = child_environment(made, service)
        return subprocess.Popen(service.command(made, -1), stdout=log, stderr=log, env=variables)


def _wait(made: config.BoxConfig, service: Service) -> None:
    ends = time.monotonic() + 30
    while time.monotonic() < ends:
        try:
            requests.get(service.health_url(made), verify=str(made.ca / "bundle.pem"), timeout=2)
            return
        except requests.ConnectionError:
            time.sleep(0.05)
    raise AssertionError(f"{service.name} does not answer: {(made.home / f'{service.name}.log').read_text()[-2000:]}")
