"""Counts all of the SDK's end-to-end tests and says why those that can't run against any emulator can't."""

from __future__ import annotations

import json
import os
import subprocess
from collections import Counter, defaultdict
from functools import lru_cache
from pathlib import Path
from typing import Any

from tests.conformance import cases, results, sdk

HERE = Path(__file__).resolve().parent
_LACKING = "names configuration files that the source distribution doesn't ship"
_NO_CLUSTERS = "needs Microsoft's own Singularity clusters"
_OWN_BUG = "fails in the SDK itself (AttributeError: _model_dataplane_operation)"
_NO_DFS = "needs an ADLS Gen2 (dfs) endpoint"
AREAS = {
    "feature_store": "creates a workspace by an ARM template (storage, Key Vault, Application Insights)",
    "feature_set": "needs a feature store, created by an ARM template",
    "feature_store_entity": "needs a feature store, created by an ARM template",
    "workspace": "creates workspaces by an ARM template, managed networks, user-assigned identities",
    "local_endpoint": "needs docker",
    "virtual_cluster": _NO_CLUSTERS,
    "internal": "component types that exist only inside Microsoft (scope, hdi, hemera, ...)",
    "model_package": "builds an image in an Azure container registry",
}
TESTS = {
    "singularity": _NO_CLUSTERS,
    "test_create_get_download_evaluator_registry": _OWN_BUG,
    "test_list_evaluator[true]": _OWN_BUG,
    "test_upload_file_gen2": _NO_DFS,
    "test_update_gen2_metadata": _NO_DFS,
}


def write(python: str, work: Path) -> int:
    """Put the counts into the kept results, and name what could run and is in no group."""
    rows = collect(python, work)
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        counts[results.area(row["test"])][why_not(row)] += 1
    kept = json.loads(results.KEPT.read_text(encoding="utf-8")) if results.KEPT.exists() else {"tests": {}}
    kept["areas"] = {area: dict(found.most_common()) for area, found in sorted(counts.items())}
    results.KEPT.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    listed = cases.group_of()
    for row in rows:
        if not why_not(row) and row["test"] not in listed:
            print(f"wide {row['test']}")
    return 0


def collect(python: str, work: Path) -> list[dict[str, Any]]:
    """What pytest collects, with what each test needs."""
    sources, out = sdk.unpack(work, "azureml"), work / "survey.jsonl"
    folders = sorted(str(path.relative_to(sources)) for path in (sources / "tests").rglob("e2etests"))
    environment = {**os.environ, "PYTHONPATH": str(HERE / "shim"), "CONF_SURVEY": str(out)}
    plugins = ["-p", "conf_plugin", "-p", "conf_survey", "-p", "no:cacheprovider"]
    command = [python, "-m", "pytest", *plugins, "--collect-only", "-q", "-W", "ignore", *folders]
    subprocess.run(command, cwd=sources, env=environment, stdout=subprocess.DEVNULL, check=True)
    return [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]


def why_not(row: dict[str, Any]) -> str:
    """Why a test can't run; empty where it can."""
    if row["skip"]:
        return "skipped by the SDK's authors"
    if reason := AREAS.get(results.area(row["test"])):
        return reason
    for part, reason in TESTS.items():
        if part in row["test"].lower():
            return reason
    return _LACKING if row["missing"] or row["test"] in lacking() else ""


@lru_cache
def lacking() -> frozenset[str]:
    """Tests that turned out, when run, to name a file that there is not."""
    lines = (HERE / "lacking.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if not line.startswith("#"))
