"""Names are identities: the same content, parameters and base model make the same run, wherever and how often it is asked.

An upload is (path, ETag). A run's id derives from the folder, the snapshot's hash, the effective parameters and the
base model's exact version (ARCHITECTURE, principle 2).
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

TAG_RUN = "droptune-run"  # on jobs, models and deployments: what bears it with our run is ours to adopt


def slug(name: str, length: int) -> str:
    """A name as lower-case letters, digits and single dashes that begins with a letter.

    >>> slug("Acme_Support.v2", 20)
    'acme-support-v2'
    """
    text = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    text = text if text[:1].isalpha() else f"d-{text}"
    return text[:length].strip("-")


def _digest(*parts: Any, length: int) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:length]


def upload_key(name: str, path: str, etag: str) -> str:
    """The key of an upload's record."""
    return f"{name}~{_digest(path, etag, length=16)}"


def run_id(name: str, snapshot: str, parameters: dict[str, Any], base_model: str, rest: dict[str, Any]) -> str:
    """The id of the run of this content, these parameters and this base model; `rest` is what else decides the result."""
    return f"{slug(name, 20)}-{_digest(name, snapshot, parameters, base_model, rest, length=10)}"


def job_name(run: str, attempt: int) -> str:
    """The Azure ML job of a run's attempt."""
    return f"droptune-{run}-{attempt}"


def deployment_name(run: str, generation: int) -> str:
    """The online deployment of a run in a generation of its endpoint.

    3 to 32 characters, letters, digits and dashes, beginning with a letter. Whoever is late with deleting one of an
    earlier generation hurts nobody: each has its own name.
    """
    return f"r-{run.rsplit('-', 1)[-1]}-{generation}"


def endpoint_name(name: str, workspace_id: str) -> str:
    """The online endpoint of a dataset's name: unique in a region, at most 27 characters."""
    return f"{slug(name, 20)}-{_digest(workspace_id.lower(), name, length=6)}"


def model_name(name: str) -> str:
    """The registered model of a dataset's name."""
    return f"droptune-{slug(name, 63)}"


def model_version(run: str, attempt: int) -> str:
    """The version of the model that a run's attempt registers."""
    return f"{run.rsplit('-', 1)[-1]}-{attempt}"


def run_of_job(job: str) -> str | None:
    """The run whose attempt a job's name is, or None.

    >>> run_of_job(job_name("acme-0123456789", 2))
    'acme-0123456789'
    """
    match = re.fullmatch(r"droptune-(.+-[0-9a-f]{10})-\d+", job)
    return match[1] if match else None
