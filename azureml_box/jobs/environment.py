"""What a step's process sees of its surroundings, named as Azure names it."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import jwt

if TYPE_CHECKING:
    from azureml_box.config import Config
    from azureml_box.environments import Interpreter

KEPT = (
    "HOME",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_FILE",
    "CUDA_VISIBLE_DEVICES",
    "LD_LIBRARY_PATH",
)
TOKEN_SECONDS = 86400


def of_run(
    config: Config, run: str, root: str, experiment: str, own: dict[str, str], python: Interpreter | None = None
) -> dict[str, str]:
    """The variables of a run's process; `own` are those that the job asks for, `python` is what `python` calls."""
    kept = {name: os.environ[name] for name in (*KEPT, *config.passed_variables) if name in os.environ}
    binaries = python.binaries if python else str(Path(sys.executable).parent)
    return {
        **kept,
        **({"VIRTUAL_ENV": python.venv} if python and python.venv else {}),
        "PATH": f"{binaries}:{os.environ.get('PATH', '/usr/bin:/bin')}",
        "PYTHONUNBUFFERED": "1",
        "AZUREML_RUN_ID": run,
        "AZUREML_ROOT_RUN_ID": root,
        "AZUREML_EXPERIMENT_NAME": experiment,
        "AZUREML_ARM_SUBSCRIPTION": config.subscription,
        "AZUREML_ARM_RESOURCEGROUP": config.resource_group,
        "AZUREML_ARM_WORKSPACE_NAME": config.workspace,
        "MLFLOW_RUN_ID": run,
        "MLFLOW_EXPERIMENT_NAME": experiment,
        **_tracking(config, python),
        "MLFLOW_TRACKING_TOKEN": _token(config, run),
        **own,
    }


def _tracking(config: Config, python: Interpreter | None) -> dict[str, str]:
    """Where MLflow finds the run: for azureml-mlflow, which keeps no files for `https://`, by the workspace's own address."""
    plain = f"{config.base_url}/mlflow/v2.0{config.workspace_scope}"
    if python is None or not python.has("azureml_mlflow"):
        return {"MLFLOW_TRACKING_URI": plain}
    own = plain.replace("https://", "azureml://", 1).replace("/v2.0/", "/v1.0/", 1)
    # It takes files from the storage of its cloud only.
    cloud = f"{config.base_url}/metadata/endpoints?api-version=2019-05-01"
    return {"MLFLOW_TRACKING_URI": own, "ARM_CLOUD_METADATA_URL": cloud}


def _token(config: Config, run: str) -> str:
    if config.signing_key is None:
        return ""
    now = int(time.time())
    claims = {
        "iss": f"https://sts.windows.net/{config.tenant}/",
        "aud": config.base_url,
        "tid": config.tenant,
        "oid": run,
        "iat": now,
        "nbf": now - 10,
        "exp": now + TOKEN_SECONDS,
    }
    return jwt.encode(claims, config.signing_key.read_bytes(), algorithm="RS256")
