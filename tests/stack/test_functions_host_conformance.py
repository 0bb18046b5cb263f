"""The box's functions host against the real worker's core, azure-functions-runtime, which needs Python 3.13."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from infra import package

pytestmark = pytest.mark.stack
ROOT = Path(__file__).resolve().parents[2]
FIXTURES = Path(__file__).parent / "fixtures"
VENV = ROOT / ".cache/python313"
EVENT = {"id": "1", "subject": "/s", "eventType": "T", "eventTime": "2026-11-24T00:00:00Z", "dataVersion": "1"}


def find_python313() -> str | None:
    """Find a Python 3.13: on the path, or of pyenv (whose shim fails where another version is chosen)."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates = [shutil.which("python3.13"), *map(str, pyenv.glob("3.13*/bin/python3.13"))]
    for candidate in filter(None, candidates):
        if subprocess.run([candidate, "--version"], capture_output=True, timeout=20).returncode == 0:
            return candidate
    return None


@pytest.fixture(scope="module")
def worker_python() -> str:
    """A Python 3.13 with the worker's core and the app's own packages, as locked; kept in .cache/."""
    python, ready = VENV / "bin/python", VENV / ".ready"
    if ready.exists():
        return str(python)
    base = find_python313()
    if base is None:
        pytest.skip("there is no Python 3.13 here, which azure-functions-runtime needs")
    subprocess.run([base, "-m", "venv", "--clear", str(VENV)], check=True, timeout=120)
    pip = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    for packages in (["--require-hashes", "-r", str(package.ROOT / package.LOCK)], ["azure-functions-runtime==1.3.0"]):
        made = subprocess.run([*pip, *packages], capture_output=True, text=True, timeout=280)
        if made.returncode != 0:
            pytest.skip(f"{packages[-1]} can't be installed here: {made.stderr.strip().splitlines()[-1:]}")
    ready.touch()
    return str(python)


def run(python: str, script: str, app: Path, cases: list[dict[str, Any]], trace: Path) -> dict[str, Any]:
    """Run one side and read its result."""
    keep = {name: value for name, value in os.environ.items() if not name.startswith(("DROPTUNE_", "AZURE"))}
    paths = f"{ROOT}{os.pathsep}{FIXTURES}" if "box" in script else str(FIXTURES)
    settings = {
        "SAMPLE_QUEUE": "work",
        "SAMPLE_SCHEDULE": "0 0 * * * *",
        "SAMPLE_TRACE": str(trace),
        "PYTHONPATH": paths,
    }
    command = [python, str(FIXTURES / script), str(app)]
    streams: dict[str, Any] = {"input": json.dumps(cases), "capture_output": True, "text": True}
    done = subprocess.run(command, **streams, env={**keep, **settings}, cwd=trace.parent, timeout=120)
    found = re.search(r"^RESULT (.*)$", done.stdout, re.MULTILINE)
    assert found, done.stdout[-2000:] + done.stderr[-4000:]
    return dict(json.loads(found[1]))


def http(method: str, path: str, params: dict[str, str] | None = None, body: str = "") -> dict[str, Any]:
    """An HTTP trigger's Datum as JSON."""

    def texts(values: dict[str, str]) -> dict[str, Any]:
        return {name: {"type": "string", "value": value} for name, value in values.items()}

    head = texts({"method": method, "url": f"https://box/api/{path}"})
    headers, query = texts({"content-type": "application/json"}), texts({"q": "1"})
    value = {**head, "headers": headers, "query": query, "params": texts(params or {})}
    return {"type": "http", "value": {**value, "body": {"type": "bytes", "value": body}}}


def event(**data: Any) -> dict[str, Any]:
    """An Event Grid trigger's Datum as JSON."""
    return {"type": "json", "value": json.dumps({**EVENT, "data": data})}


def message(body: str) -> dict[str, Any]:
    """A queue trigger's Datum and metadata as JSON."""
    texts = {"Id": "m", "DequeueCount": "2", "PopReceipt": "p"}
    metadata: dict[str, Any] = {name: {"type": "string", "value": value} for name, value in texts.items()}
    metadata["InsertionTime"] = {"type": "json", "value": json.dumps("2026-11-24T00:00:00+00:00")}
    return {"datum": {"type": "string", "value": body}, "metadata": metadata}


TIMER = {"type": "json", "value": json.dumps({"IsPastDue": True, "Schedule": {}, "ScheduleStatus": None})}
SAMPLE_CASES: list[dict[str, Any]] = [
    {"function": "on_event", "datum": event(n=1)},
    {"function": "on_event", "datum": event(fail=True)},
    {"function": "on_event_async", "datum": event()},
    {"function": "on_message", **message("grüß dich")},
    {"function": "on_message", **message("fail")},
    {"function": "on_text", **message("as it came")},
    {"function": "tick", "datum": TIMER},
    {"function": "echo", "datum": http("POST", "echo/ann", {"name": "ann"}, "hello")},
    {"function": "plain", "datum": http("GET", "plain")},
    {"function": "broken", "datum": http("GET", "broken")},
    {"function": "forward", "datum": http("POST", "forward/ann", {"to": "ann"}, "hello")},
    {"function": "returns_without_binding", "datum": event()},
]


def test_the_sample_app_is_indexed_and_run_as_the_real_worker_does(worker_python: str, tmp_path: Path) -> None:
    app, trace = FIXTURES / "sample_app", tmp_path / "trace"
    ours = run(sys.executable, "conformance_box.py", app, SAMPLE_CASES, trace)
    seen_by_ours = traced(trace)
    theirs = run(worker_python, "conformance_worker.py", app, SAMPLE_CASES, trace)
    assert ours["bindings"] == theirs["bindings"]
    for case, our_outcome, their_outcome in zip(SAMPLE_CASES, ours["outcomes"], theirs["outcomes"], strict=True):
        assert our_outcome == their_outcome, case["function"]
    assert seen_by_ours == traced(trace)
    assert list(ours["errors"]) == ["unconfigured"]


def traced(trace: Path) -> list[dict[str, Any]]:
    """What the functions saw, without what differs from run to run; empties the file."""
    docs = [json.loads(line) for line in trace.read_text().splitlines()]
    trace.unlink()
    return [{name: doc[name] for name in sorted(set(doc) - {"at", "pid", "invocation"})} for doc in docs]


def cases_for(bindings: dict[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """One harmless case for each function of any app: without settings each ends before it reaches a service."""
    made = []
    for name, of_function in bindings.items():
        trigger = next(b for b in of_function if b["type"].endswith("Trigger"))
        if trigger["type"] == "httpTrigger":
            params = dict.fromkeys(re.findall(r"\{\*?(\w+)", trigger.get("route") or ""), "nobody")
            method = (trigger.get("methods") or ["GET"])[0]
            made.append({"function": name, "datum": http(method, trigger.get("route") or name, params, "{}")})
        elif trigger["type"] == "queueTrigger":
            made.append({"function": name, **message("{}")})
        else:
            made.append({"function": name, "datum": event() if trigger["type"] == "eventGridTrigger" else TIMER})
    return made


def test_the_package_is_indexed_and_run_as_the_real_worker_does(worker_python: str, tmp_path: Path) -> None:
    """Every function of what `azd deploy` uploads, by the worker that Azure runs, on the newest Python that it offers."""
    trace, app = tmp_path / "trace", package.build(tmp_path / "package")
    cases = cases_for(run(sys.executable, "conformance_box.py", app, [], trace)["bindings"])
    ours = run(sys.executable, "conformance_box.py", app, cases, trace)
    theirs = run(worker_python, "conformance_worker.py", app, cases, trace)
    assert ours["bindings"] == theirs["bindings"] and len(cases) >= 8
    for case, our_outcome, their_outcome in zip(cases, ours["outcomes"], theirs["outcomes"], strict=True):
        assert comparable(our_outcome) == comparable(their_outcome), case["function"]


def comparable(outcome: dict[str, Any]) -> Any:
    """Kind of end and HTTP status: bodies tell versions and times."""
    returned = outcome["returned"]
    return outcome["ok"], outcome["error"], returned["status"] if isinstance(returned, dict) else returned
