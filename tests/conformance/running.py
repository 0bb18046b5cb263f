"""One run of chosen cases against the box that the environment names."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.conformance import cases, results, sdk

HERE = Path(__file__).resolve().parent
AT_ONCE, TIMEOUT = 4, 300
NEEDED = {
    "ML_SUBSCRIPTION_ID": "AZURE_SUBSCRIPTION_ID",
    "ML_RESOURCE_GROUP": "AZURE_RESOURCE_GROUP",
    "ML_WORKSPACE_NAME": "AZUREML_WORKSPACE_NAME",
}
_ASKED = (
    *NEEDED.values(),
    "AZUREML_REGISTRY_NAME",
    "AZURE_STORAGE_ACCOUNT_URL",
    "ARM_CLOUD_METADATA_URL",
    "IDENTITY_ENDPOINT",
)
_NOT_OURS = {"AZUREML_CURRENT_CLOUD", "ML_CLIENT_ID", "ML_CLIENT_SECRET", "PYTEST_CURRENT_TEST"}


@dataclass(frozen=True)
class Options:
    """How pytest is run."""

    at_once: int = AT_ONCE
    timeout: int = TIMEOUT
    keyword: str | None = None

    @classmethod
    def of(cls, arguments: argparse.Namespace) -> Options:
        """From the command line."""
        return cls(arguments.at_once, arguments.timeout, arguments.keyword)


def run(
    python: str, work: Path, chosen: list[str], options: Options, box: dict[str, str]
) -> tuple[list[dict[str, Any]], float]:
    """The results, one a case, and the seconds that pytest took.

    The SDK looks whether a file is there and then uploads it without overwriting: of two cases that upload equal files at
    once, one may lose. Such a case is run again, with nobody beside it.
    """
    environment = _environment(box, work)
    data = f"{environment['AZURE_STORAGE_ACCOUNT_URL'].rstrip('/')}/conformance/Titanic.csv"
    sources = sdk.unpack(work, environment["AZUREML_REGISTRY_NAME"], data, _workspace(environment))
    _prepare(python, sources, environment)
    (work / "calls.jsonl").unlink(missing_ok=True)
    (work / "unskip.txt").write_text("\n".join(cases.read("revived")), encoding="utf-8")

    def tested(wanted: list[str], how: Options, log: str) -> list[dict[str, Any]]:
        (work / "results.jsonl").unlink(missing_ok=True)
        (work / "cases.args").write_text("\n".join(wanted), encoding="utf-8")
        with (work / log).open("w", encoding="utf-8") as file:
            command = _command(python, work, how)
            subprocess.run(command, cwd=sources, env=environment, stdout=file, stderr=subprocess.STDOUT, check=False)
        return results.read(work / "results.jsonl", wanted if not how.keyword else [])

    began = time.monotonic()
    rows = tested(chosen, options, "pytest.log")
    if raced := results.raced(rows):
        alone = {row["test"]: row for row in tested(raced, replace(options, at_once=0), "pytest-alone.log")}
        rows = [alone.get(row["test"], row) for row in rows]
    return rows, time.monotonic() - began


def _workspace(environment: dict[str, str]) -> str:
    subscription, group, name = (environment[own] for own in NEEDED.values())
    provider = "providers/Microsoft.MachineLearningServices"
    return f"/subscriptions/{subscription}/resourceGroups/{group}/{provider}/workspaces/{name}"


def _command(python: str, work: Path, options: Options) -> list[str]:
    own = ["-p", "conf_plugin", "-p", "no:cacheprovider", "-q", "-W", "ignore", "--tb=short"]
    limits = [f"--timeout={options.timeout}", "-n", str(options.at_once)]
    narrowed = ["-k", options.keyword] if options.keyword else []
    return [python, "-m", "pytest", *own, *limits, f"@{work / 'cases.args'}", *narrowed]


def _prepare(python: str, sources: Path, environment: dict[str, str]) -> None:
    arguments = [environment["AZUREML_REGISTRY_NAME"], sdk.SECOND_REGISTRY, str(sources / "tests" / "test_configs")]
    command = [python, str(HERE / "prepare_box.py"), *arguments]
    done = subprocess.run(command, env=environment, cwd=sources, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"the box could not be prepared:\n{done.stderr[-4000:]}")


def _environment(box: dict[str, str], work: Path) -> dict[str, str]:
    missing = [name for name in _ASKED if not box.get(name)]
    if missing:
        raise SystemExit(f'the box\'s environment lacks {", ".join(missing)}. Run: eval "$(droptune box env)"')
    hosts = {urlsplit(value).netloc for value in box.values() if value.startswith(("https://", "http://127.0.0.1"))}
    return {
        **{name: value for name, value in box.items() if name not in _NOT_OURS},
        **{name: box[source] for name, source in NEEDED.items()},
        "ML_FEATURE_STORE_NAME": "none",
        "ML_TEST_STORAGE_ACCOUNT_NAME": box.get("AZURE_STORAGE_ACCOUNT_NAME", "devstoreaccount1"),
        "ML_TEST_STORAGE_ACCOUNT_PRIMARY_KEY": "cHJpbWFyeQ==",
        "ML_TEST_STORAGE_ACCOUNT_SECONDARY_KEY": "c2Vjb25kYXJ5",
        "PYTHONPATH": str(HERE / "shim"),
        "TMPDIR": str(_scratch(work)),
        "CONF_HOSTS": ",".join(sorted(hosts)),
        "CONF_RESULTS": str(work / "results.jsonl"),
        "CONF_CALLS": str(work / "calls.jsonl"),
        "CONF_UNSKIP": str(work / "unskip.txt"),
        "AZURE_CORE_COLLECT_TELEMETRY": "0",
    }


def _scratch(work: Path) -> Path:
    """The SDK keeps the ids of anonymous components in the temporary folder: begin with none."""
    folder = work / "tmp"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
