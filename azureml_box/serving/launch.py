"""What one deployment process is started with: read from the ARM document, kept in the store for restarts."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parents[2]
# What a process needs of its surroundings; everything else, secrets above all, stays outside.
_PASSED = (
    "PATH",
    "HOME",
    "LANG",
    "TMPDIR",
    "LD_LIBRARY_PATH",
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "CUDA_VISIBLE_DEVICES",
)
_DURATION = re.compile(r"^P(?:(?P<d>\d+)D)?(?:T(?:(?P<h>\d+)H)?(?:(?P<m>\d+)M)?(?:(?P<s>\d+(?:\.\d+)?)S)?)?$")
_DEFAULT_TIMEOUT = 5.0
_SHORTEST_START = 60.0


@dataclass(frozen=True)
class Launch:
    """Folders, variables and limits of one generation of a deployment; `model` lies in `model_dir`, by its own name.

    `python` runs the scoring script where its environment is a virtual one; the server itself is always the box's.
    """

    folder: str
    model: str | None
    code: str | None
    script: str | None
    environment: dict[str, str] = field(default_factory=dict)
    request_timeout: float = _DEFAULT_TIMEOUT
    concurrency: int = 1
    start_limit: float = 600.0
    model_dir: str | None = None
    python: str | None = None

    def command(self, socket: str) -> list[str]:
        """The command line of the inference server."""
        options = [sys.executable, "-m", "azureml_box.serving.server", "--socket", socket]
        options += ["--concurrency", str(self.concurrency)]
        for name in ("model", "code", "script", "python"):
            value = getattr(self, name)
            options += [f"--{name}", value] if value else []
        return options

    def variables(self) -> dict[str, str]:
        """The process's environment: without PYTHONPATH, so that the model finds its own code only."""
        passed = {name: os.environ[name] for name in _PASSED if name in os.environ}
        models = self.model_dir or self.model or ""
        fixed = {"AZUREML_MODEL_DIR": models, "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1"}
        if self.python is not None:
            binaries = Path(self.python).parent
            passed |= {"VIRTUAL_ENV": str(binaries.parent), "PATH": f"{binaries}:{passed.get('PATH', '/usr/bin:/bin')}"}
        return {**passed, **self.environment, **fixed}

    @property
    def root(self) -> str:
        """The folder from which `-m azureml_box…` is found."""
        return str(_ROOT)


def seconds(duration: object, default: float) -> float:
    """An ISO 8601 duration such as `PT1M30S` in seconds."""
    match = _DURATION.match(duration) if isinstance(duration, str) else None
    if match is None:
        return default
    days, hours, minutes, rest = (float(match[part] or 0) for part in "dhms")
    return days * 86400 + hours * 3600 + minutes * 60 + rest


def limits(properties: Mapping[str, Any], instances: int) -> dict[str, Any]:
    """`request_timeout`, `concurrency` and `start_limit` from a deployment's properties.

    Defaults are Azure's: 5 s a request, one request at a time an instance.
    """
    requests = properties.get("requestSettings") or {}
    probe = properties.get("livenessProbe") or {}
    delay, period = seconds(probe.get("initialDelay"), 10), seconds(probe.get("period"), 10)
    start = delay + period * int(probe.get("failureThreshold") or 30)
    each = int(requests.get("maxConcurrentRequestsPerInstance") or 1)
    return {
        "request_timeout": seconds(requests.get("requestTimeout"), _DEFAULT_TIMEOUT),
        "concurrency": each * max(instances, 1),
        "start_limit": max(start, _SHORTEST_START),
    }
