"""The operator's settings: typed, from the environment, refused with a message where they are wrong."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import lru_cache
from typing import Any

from shared import webhook
from shared.errors import SettingsError

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def parse_duration(text: str) -> float:
    """Seconds of a duration such as `90s`, `30m`, `2h`, `7d`; `0` is zero.

    Raises:
        ValueError: the text is no duration.
    """
    if text.strip() == "0":
        return 0.0
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd])", text.strip())
    if not match:
        raise ValueError(f"{text!r} is no duration: write a number and a unit, such as 90s, 30m, 2h or 7d")
    return float(match[1]) * _UNITS[match[2]]


def _setting(name: str, default: Any, help: str, kind: Any = str) -> Any:
    return field(default=default, metadata={"name": name, "help": help, "kind": kind})


def _amount(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise ValueError("must be a finite number above 0")
    return value


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ValueError("must be 1 or more")
    return value


def _amount_of(text: str) -> int:
    value = int(text)
    if value < 0:
        raise ValueError("must be 0 or more")
    return value


def _names(text: str) -> frozenset[str]:
    return frozenset(part.strip() for part in text.split(",") if part.strip())


def _policy(text: str) -> str:
    if text not in ("off", "warn", "reject"):
        raise ValueError("must be off, warn or reject")
    return text


def _kept(text: str) -> str:
    if text not in ("endpoint", "nothing"):
        raise ValueError("must be endpoint or nothing")
    return text


AUTO = math.inf


def _idle(text: str) -> float:
    """`auto`: as long as an endpoint's own pauses teach."""
    return AUTO if text.strip() == "auto" else parse_duration(text)


@dataclass(frozen=True)
class Settings:
    """Everything that droptune reads from its environment. Durations are in seconds, money in USD."""

    subscription_id: str = _setting("AZURE_SUBSCRIPTION_ID", "", "the subscription of the workspace")
    resource_group: str = _setting("AZURE_RESOURCE_GROUP", "", "the resource group of the workspace")
    workspace_name: str = _setting("AZUREML_WORKSPACE_NAME", "", "the Azure ML workspace")
    registry_name: str = _setting("AZUREML_REGISTRY_NAME", "azureml", "the registry of base models and pipelines")
    account_url: str = _setting("AZURE_STORAGE_ACCOUNT_URL", "", "blob endpoint of the storage account")
    queue_url: str = _setting("AZURE_STORAGE_QUEUE_URL", "", "queue endpoint of the storage account")
    events_endpoint: str = _setting(
        "DROPTUNE_EVENTS_ENDPOINT", "", "Event Grid topic for lifecycle events; empty: none"
    )
    queue_name: str = _setting("DROPTUNE_QUEUE", "droptune-work", "the queue that carries the work")
    base_model: str = _setting(
        "DROPTUNE_BASE_MODEL", "Phi-3-mini-4k-instruct", "base model: a name, name:version or id"
    )
    pipeline: str = _setting("DROPTUNE_PIPELINE", "chat_completion_pipeline", "pipeline component of the registry")
    compute: str = _setting("DROPTUNE_COMPUTE", "gpu-cluster", "compute cluster that trains")
    compute_size: str = _setting(
        "DROPTUNE_COMPUTE_SIZE", "Standard_NC24ads_A100_v4", "size of the cluster where it is made"
    )
    compute_nodes: int = _setting("DROPTUNE_COMPUTE_NODES", 1, "most nodes of the cluster where it is made", _count)
    compute_identity: str = _setting(
        "DROPTUNE_COMPUTE_IDENTITY",
        "",
        "ARM id of the identity of the cluster where it is made, which must be allowed to read snapshots; empty: none",
    )
    instance_type: str = _setting("DROPTUNE_INSTANCE_TYPE", "Standard_NC24ads_A100_v4", "size of a deployment")
    concurrent_requests: int = _setting(
        "DROPTUNE_CONCURRENT_REQUESTS",
        1,
        "how many requests a deployment answers at the same time (max_concurrent_requests_per_instance); 1 is Azure's "
        "default, more where the model's server batches",
        _count,
    )
    snapshot_datastore: str = _setting(
        "DROPTUNE_SNAPSHOT_DATASTORE", "snapshots", "datastore of the workspace that points at the container snapshots"
    )
    settle: float = _setting("DROPTUNE_SETTLE", 30.0, "a folder must have been quiet for so long", parse_duration)
    poll: float = _setting("DROPTUNE_POLL", 30.0, "pause between two looks at a deployment", parse_duration)
    watch: float = _setting("DROPTUNE_WATCH", 300.0, "pause between two looks at a job without events", parse_duration)
    evaluation_rows: int = _setting(
        "DROPTUNE_EVALUATION_ROWS",
        20,
        "most test rows that a new deployment answers before it gets traffic; 0: none, unless [gate] asks for answers",
        _amount_of,
    )
    judge: str = _setting(
        "DROPTUNE_JUDGE", "", "package.module:name of a function that grades answers from 0 to 1; empty: none"
    )
    base_deployment: str = _setting(
        "DROPTUNE_BASE_DEPLOYMENT",
        "",
        "ENDPOINT/DEPLOYMENT of the base model, which answers the same test rows where no model is live; empty: none",
    )
    canary_hold: float = _setting(
        "DROPTUNE_CANARY_HOLD",
        600.0,
        "how long each step of a canary is looked at, without the metrics' lag",
        parse_duration,
    )
    idle_after: float = _setting(
        "DROPTUNE_IDLE_AFTER",
        1800.0,
        "an endpoint unused for so long sleeps; droppers may shorten it. `auto`: learnt from the endpoint's own pauses, "
        "at most 3h; 0: never",
        _idle,
    )
    sleep_warning: float = _setting(
        "DROPTUNE_SLEEP_WARNING",
        600.0,
        "an event tells so long before an endpoint sleeps, where its window is at least twice as long; 0: no event",
        parse_duration,
    )
    asleep_keeps: str = _setting(
        "DROPTUNE_ASLEEP_KEEPS",
        "endpoint",
        "what stays while a model sleeps: endpoint (free; its address and keys stay valid) or nothing (made anew)",
        _kept,
    )
    max_awake: float = _setting(
        "DROPTUNE_MAX_AWAKE",
        216000.0,
        "most of a week for which droppers may keep an endpoint awake by `awake` hours",
        parse_duration,
    )
    metrics_lag: float = _setting(
        "DROPTUNE_METRICS_LAG", 300.0, "how late Azure Monitor's metrics may be", parse_duration
    )
    max_cost_usd: float = _setting("DROPTUNE_MAX_COST_USD", 100.0, "a run estimated above this is refused", _amount)
    max_jobs: int = _setting(
        "DROPTUNE_MAX_JOBS",
        4,
        "most training jobs at a time, over all folders; the rest wait in order, the least served folder first",
        _count,
    )
    max_attempts: int = _setting("DROPTUNE_MAX_ATTEMPTS", 5, "most attempts of one run, the first included", _count)
    job_timeout: float = _setting(
        "DROPTUNE_JOB_TIMEOUT",
        86400.0,
        "a job is cancelled so long after it was submitted, its wait for nodes included; 0: never",
        parse_duration,
    )
    max_file_mb: int = _setting("DROPTUNE_MAX_FILE_MB", 10_000, "largest dataset that is taken, in MB", _count)
    pii: str = _setting(
        "DROPTUNE_PII",
        "warn",
        "personal data and secrets in datasets: off, warn or reject; droppers may be stricter",
        _policy,
    )
    tokenizer: str = _setting(
        "DROPTUNE_TOKENIZER", "", "path of the base model's tokenizer.json, to count tokens by; empty: an estimate"
    )
    sweep: float = _setting(
        "DROPTUNE_SWEEP", 3600.0, "how often uploads whose event was lost are looked for", parse_duration
    )
    allowed_inputs: frozenset[str] = _setting(
        "DROPTUNE_ALLOW_INPUTS", frozenset(), "guarded pipeline inputs that droppers may set, comma-separated", _names
    )
    webhook_hosts: frozenset[str] = _setting(
        "DROPTUNE_WEBHOOK_HOSTS",
        frozenset(),
        "hosts that droppers may name in `[notify] webhook`, comma-separated: hooks.slack.com, *.webhook.office.com, "
        "hooks.example.com:8443; none of their addresses may be private",
        webhook.hosts,
    )
    webhook_private_hosts: frozenset[str] = _setting(
        "DROPTUNE_WEBHOOK_PRIVATE_HOSTS",
        frozenset(),
        "hosts of your own network that they may name as well: their addresses may be private or of this machine",
        webhook.hosts,
    )


def read(environment: Mapping[str, str]) -> Settings:
    """The settings in an environment.

    Raises:
        SettingsError: a variable cannot be read; the message names it.
    """
    values: dict[str, Any] = {}
    for entry in fields(Settings):
        text = environment.get(entry.metadata["name"], "")
        if text:
            values[entry.name] = _read_one(entry.metadata["name"], text, entry.metadata["kind"])
    return Settings(**values)


def _read_one(name: str, text: str, kind: Any) -> Any:
    try:
        return kind(text)
    except ValueError as error:
        raise SettingsError(f"{name}={text!r}: {error}", f"set {name} to a valid value or leave it out") from error


def missing(settings: Settings) -> list[str]:
    """The names of the settings without which nothing works."""
    needed = ("subscription_id", "resource_group", "workspace_name", "account_url", "queue_url")
    names = {entry.name: entry.metadata["name"] for entry in fields(Settings)}
    return [names[name] for name in needed if not getattr(settings, name)]


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process, read once."""
    return read(os.environ)
