"""Metrics to the MLflow tracking server while training goes on, on the step's run and on the root run.

Two REST calls of https://mlflow.org/docs/latest/rest-api.html; the real component logs to both runs likewise.
A thread sends, so that a slow server never slows training; what cannot be sent is reported, once, in the log.
"""

from __future__ import annotations

import json
import math
import os
import queue
import sys
import threading
import time
import urllib.request
from collections.abc import Mapping

TIMEOUT = 5.0  # seconds a call
LAST_WAIT = 15.0  # seconds for what is unsent at the end
Metric = dict[str, str | int | float]


class Tracker:
    """Sends metrics and params; without a tracking server in the environment it only prints them."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._uri = environment.get("MLFLOW_TRACKING_URI", "").rstrip("/")
        self._token = environment.get("MLFLOW_TRACKING_TOKEN", "")
        runs = (environment.get("MLFLOW_RUN_ID"), environment.get("AZUREML_ROOT_RUN_ID"))
        self._runs = list(dict.fromkeys(run for run in runs if run)) if self._uri.startswith("http") else []
        self._unsent: queue.Queue[list[Metric] | None] = queue.Queue()
        self._complained = False
        self._thread = threading.Thread(target=self._send_all, daemon=True)
        self._thread.start()

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Log finite numbers at a step."""
        finite = {name: float(value) for name, value in values.items() if math.isfinite(value)}
        print(f"step {step}: " + ", ".join(f"{name} {value:.5g}" for name, value in finite.items()), flush=True)
        now = int(time.time() * 1000)
        self._unsent.put([{"key": k, "value": v, "timestamp": now, "step": step} for k, v in finite.items()])

    def close(self) -> None:
        """Wait until everything is sent, but not for ever."""
        self._unsent.put(None)
        self._thread.join(LAST_WAIT)

    def _send_all(self) -> None:
        while (metrics := self._unsent.get()) is not None:
            for run in self._runs:
                self._send(run, metrics)

    def _send(self, run: str, metrics: list[Metric]) -> None:
        body = json.dumps({"run_id": run, "metrics": metrics, "params": [], "tags": []}).encode()
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._token}"}
        # The address is the job's own MLFLOW_TRACKING_URI, checked to be http(s).
        request = urllib.request.Request(f"{self._uri}/api/2.0/mlflow/runs/log-batch", body, headers)
        try:
            urllib.request.urlopen(request, timeout=TIMEOUT).close()
        except OSError as error:
            if not self._complained:
                print(f"warning: metrics cannot be sent to {self._uri}: {error}; training goes on", file=sys.stderr)
            self._complained = True
