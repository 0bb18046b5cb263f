"""The SDK under test as PyPI ships it, in an environment of its own, and its tests from the source distribution."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
WORK = HERE.parents[1] / ".cache" / "conformance"
VERSION = "1.35.2"
PUBLIC = "https://dprepdata.blob.core.windows.net/demo/Titanic.csv"
# The workspace as the recordings of the SDK's tests have it: what a test compares with where it names one.
SANITISED = (
    "/subscriptions/00000000-0000-0000-0000-000000000/resourceGroups/00000"
    "/providers/Microsoft.MachineLearningServices/workspaces/00000"
)
SECOND_REGISTRY = "conformance-second"
REQUIREMENTS = HERE.parents[1] / "requirements" / "conformance.txt"
_REGISTRY = re.compile(r'registry_name="(?:[A-Za-z0-9-]*(?:testFeed|hello-world))"')


def install(work: Path) -> str:
    """The interpreter of an environment with the SDK; makes it, and fetches the sources, on first use."""
    python = work / "venv" / "bin" / "python"
    done = work / f"installed-{VERSION}"
    if not done.exists():
        work.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, "-m", "venv", str(work / "venv")], check=True)
        sources = ["download", "-q", "--no-binary", ":all:", "--no-deps", "-d", str(work / "sdist")]
        for command in (["install", "-q", "-r", str(REQUIREMENTS)], [*sources, f"azure-ai-ml=={VERSION}"]):
            subprocess.run([str(python), "-m", "pip", *command], check=True)
        done.touch()
    return str(python)


def unpack(work: Path, registry: str, data: str = PUBLIC, workspace: str = SANITISED) -> Path:
    """The SDK's tests, unpacked anew, with our configuration files and the box's names; otherwise untouched.

    `data`: where the public file lies that many tests read. `workspace`: its ARM id.
    """
    root = work / "sdk"
    shutil.rmtree(root, ignore_errors=True)
    with tarfile.open(next((work / "sdist").glob(f"azure_ai_ml-{VERSION}.tar.gz"))) as archive:
        archive.extractall(root, filter="data")
    sdk = next(root.iterdir())
    shutil.rmtree(sdk / "azure")  # so that `import azure.ai.ml` can only mean the installed package
    (sdk / "pytest.ini").write_text(
        "[pytest]\n", encoding="utf-8"
    )  # else pytest would find our own settings further up
    shutil.copytree(HERE / "fixtures" / "test_configs", sdk / "tests" / "test_configs", dirs_exist_ok=True)
    _put_in_names(sdk / "tests", registry, {PUBLIC: data, SANITISED: workspace})
    return sdk


def _put_in_names(tests: Path, registry: str, names: dict[str, str]) -> None:
    """What a user of the tests changes by hand: the cloud is the configured one, registry and public data are the box's."""
    conftest = tests / "conftest.py"
    text, clouds = re.subn(r'^\s*cloud="AzureCloud",\n', "", conftest.read_text(encoding="utf-8"), flags=re.M)
    text = text.replace('registry_name="sdk-test"', f'registry_name="{SECOND_REGISTRY}"')
    text, registries = _REGISTRY.subn(f'registry_name="{registry}"', text)
    if clouds != 2 or registries < 4:
        raise SystemExit(f"conftest.py of this SDK differs: {clouds} clouds and {registries} registries replaced")
    conftest.write_text(text, encoding="utf-8")
    for path in [*tests.glob("*/e2etests/*.py"), *(tests / "test_configs").rglob("*.y*ml")]:
        before = path.read_text(encoding="utf-8")
        after = re.sub(r"registries/(?:sdk-test|testfeed)\b", f"registries/{registry}", before)
        for theirs, ours in {"CONF_REGISTRY": registry, **names}.items():
            after = after.replace(theirs, ours)
        path.write_text(after, encoding="utf-8")


if __name__ == "__main__":
    install(WORK)  # before anything else is installed: this module needs the standard library alone
