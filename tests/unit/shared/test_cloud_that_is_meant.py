"""A client of Azure ML belongs to the cloud that the environment names, or is not made."""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from shared.azure import ml
from shared.errors import TransientError

NOWHERE = "https://127.0.0.1:1/metadata/endpoints"


CURRENT = "AZUREML_CURRENT_CLOUD"  # the SDK writes it when it makes its first client


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    monkeypatch.setenv(CURRENT, "")  # so that it is put back
    monkeypatch.delenv(CURRENT)
    for name in ("AZURE_SUBSCRIPTION_ID", "AZURE_RESOURCE_GROUP", "AZUREML_WORKSPACE_NAME"):
        monkeypatch.setenv(name, "acme")
    for made in (ml.workspace, ml._cloud):
        made.cache_clear()
    yield monkeypatch
    for made in (ml.workspace, ml._cloud):
        made.cache_clear()


def test_a_cloud_that_does_not_describe_itself_is_not_taken_for_the_public_one(cloud: pytest.MonkeyPatch) -> None:
    """Chaos, seed 3: the emulator was killed while a host began, which asked the public cloud from then on."""
    cloud.setenv("ARM_CLOUD_METADATA_URL", NOWHERE)
    for _ in range(2):
        with pytest.raises(TransientError, match=r"the cloud's description at https://127\.0\.0\.1:1/"):
            ml.workspace()
    assert CURRENT not in os.environ


@pytest.mark.parametrize("named", ["", "https://management.azure.com/metadata/endpoints?api-version=2019-05-01"])
def test_the_public_cloud_is_taken_where_it_is_meant(cloud: pytest.MonkeyPatch, named: str) -> None:
    cloud.setenv("ARM_CLOUD_METADATA_URL", named)
    cloud.setenv(CURRENT, "AzureCloud")  # as the SDK writes it once it has read the description
    assert ml._cloud() == {}
    assert ml.workspace().workspace_name == "acme"


@pytest.mark.parametrize(
    ("imports", "asks"),
    [("import azure.ai.ml", True), ("from shared.azure import ml; ml.import_sdk(); import azure.ai.ml", False)],
)
def test_importing_the_sdk_asks_nobody(imports: str, asks: bool) -> None:
    """Chaos, seed 3: a description that could be read once and not again made the import fail, and a run was refused."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        url = f"http://127.0.0.1:{server.getsockname()[1]}/metadata/endpoints"
        known = {key: value for key, value in os.environ.items() if key != CURRENT}
        told = f"{imports}; import os; print(os.environ.get('{CURRENT}'))"
        running = subprocess.Popen(
            [sys.executable, "-c", told],
            env={**known, "ARM_CLOUD_METADATA_URL": url},
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            if not asks:
                assert running.communicate(timeout=60) == ("None\n", None)
            assert bool(select.select([server], [], [], 60 if asks else 0)[0]) == asks
        finally:
            running.kill()
            running.communicate()
