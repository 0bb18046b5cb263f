"""pytest fixtures: `azureml_box` is a fresh emulator for a test, `azureml_box_session` one for a whole run.

    def test_a_model_is_registered(azureml_box):
        client = azureml_box.client()          # the unmodified azure.ai.ml.MLClient
        …
        assert azureml_box.control.calls(method="PUT", path="/models/")

Storage is one Azurite a run (and, under pytest-xdist, a worker), started when the first test asks; workspaces keep apart by
their ids. Options for the emulator come from the ini value `azureml_box_options`, or from the marker
`@pytest.mark.azureml_box("--provisioning=jobs=manual")`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from azureml_box.alone import certificates
from azureml_box.alone.azurite import Account, Azurite, account_of_environment
from azureml_box.alone.emulator import Emulator


def pytest_addoption(parser: pytest.Parser) -> None:
    """The ini value."""
    parser.addini("azureml_box_options", "options of every emulator that is started", type="args", default=[])


def pytest_configure(config: pytest.Config) -> None:
    """The marker."""
    config.addinivalue_line("markers", "azureml_box(*options): options of this test's emulator")


@pytest.fixture(scope="session")
def azureml_box_authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a certificate authority, the services' certificate and the key that signs tokens."""
    folder = tmp_path_factory.mktemp("azureml_box") / "ca"
    certificates.ensure(folder)
    return folder


@pytest.fixture(scope="session")
def azureml_box_storage(azureml_box_authority: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """The storage account: that of AZUREML_BOX_STORAGE_URL, else of an Azurite of our own."""
    given = account_of_environment()
    if given is not None:
        yield given
        return
    azurite = Azurite(tmp_path_factory.mktemp("azureml_box_storage"), azureml_box_authority)
    azurite.start()
    try:
        yield azurite.account
    finally:
        azurite.stop()


@pytest.fixture
def azureml_box(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    azureml_box_authority: Path,
    azureml_box_storage: Account,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Emulator]:
    """A fresh emulator; its environment is set for the test, so that any SDK finds it."""
    marked = [option for marker in request.node.iter_markers("azureml_box") for option in marker.args]
    options = [*request.config.getini("azureml_box_options"), *marked]
    emulator = Emulator(tmp_path / "azureml_box", azureml_box_authority, azureml_box_storage, options)
    try:
        emulator.start()
        for name, value in emulator.environment.items():
            monkeypatch.setenv(name, value)
        yield emulator
    finally:
        emulator.stop()


@pytest.fixture(scope="session")
def azureml_box_session(
    request: pytest.FixtureRequest,
    azureml_box_authority: Path,
    azureml_box_storage: Account,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Emulator]:
    """One emulator for the run; tests share what is in it, and `control.reset()` empties it."""
    home, options = tmp_path_factory.mktemp("azureml_box_home"), request.config.getini("azureml_box_options")
    emulator = Emulator(home, azureml_box_authority, azureml_box_storage, options)
    try:
        emulator.start()
        with pytest.MonkeyPatch.context() as patch:
            for name, value in emulator.environment.items():
                patch.setenv(name, value)
            yield emulator
    finally:
        emulator.stop()
