"""Reads host.json: the settings of it that this host obeys, with Azure's defaults.

Source: https://learn.microsoft.com/azure/azure-functions/functions-host-json
"""

import json
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from local.functions_host.errors import HostConfigError
from local.functions_host.timespan import parse_timespan

T = TypeVar("T")


@dataclass(frozen=True)
class QueueSettings:
    """`extensions.queues`: how messages are taken, retried and given up."""

    batch_size: int = 16
    new_batch_threshold: int = 8
    visibility_timeout: timedelta = timedelta(0)
    max_polling_interval: timedelta = timedelta(minutes=1)
    max_dequeue_count: int = 5
    base64: bool = True


@dataclass(frozen=True)
class HostSettings:
    """What host.json says; `function_timeout` None means without end."""

    route_prefix: str = "api"
    function_timeout: timedelta | None = timedelta(minutes=30)
    queues: QueueSettings = QueueSettings()


def read_host_json(path: Path) -> HostSettings:
    """Read the file; a missing one, bad JSON or a value of the wrong kind raises HostConfigError."""
    try:
        doc = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise HostConfigError(f"{path} is missing: it makes a folder a function app") from None
    except ValueError as error:
        raise HostConfigError(f"{path} is not JSON: {error}") from None
    if not isinstance(doc, dict) or doc.get("version") != "2.0":
        raise HostConfigError(f'{path}: "version" must be "2.0"')
    extensions = _section(doc, "extensions", path)
    prefix = _value(_section(extensions, "http", path), "routePrefix", str, "api", path)
    return HostSettings(prefix.strip("/"), _timeout(doc, path), _queues(_section(extensions, "queues", path), path))


def _queues(doc: dict[str, Any], path: Path) -> QueueSettings:
    batch = _value(doc, "batchSize", int, 16, path)
    encoding = _value(doc, "messageEncoding", str, "base64", path).lower()
    if not 1 <= batch <= 32:
        raise HostConfigError(f"{path}: batchSize is {batch}; it must be from 1 to 32 (a storage queue gives no more)")
    if encoding not in ("base64", "none"):
        raise HostConfigError(f'{path}: messageEncoding is {encoding!r}; it must be "base64" or "none"')
    return QueueSettings(
        batch,
        _value(doc, "newBatchThreshold", int, batch // 2, path),
        parse_timespan(_value(doc, "visibilityTimeout", str, "00:00:00", path)),
        max(timedelta(milliseconds=100), parse_timespan(_value(doc, "maxPollingInterval", str, "00:01:00", path))),
        _value(doc, "maxDequeueCount", int, 5, path),
        encoding == "base64",
    )


def _timeout(doc: dict[str, Any], path: Path) -> timedelta | None:
    text = _value(doc, "functionTimeout", str, "00:30:00", path)
    return None if text == "-1" else parse_timespan(text)


def _section(doc: dict[str, Any], name: str, path: Path) -> dict[str, Any]:
    value = doc.get(name, {})
    if not isinstance(value, dict):
        raise HostConfigError(f"{path}: {name} must be an object")
    return value


def _value(doc: dict[str, Any], name: str, kind: type[T], default: T, path: Path) -> T:
    value = doc.get(name, default)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise HostConfigError(f"{path}: {name} must be of type {kind.__name__}, not {type(value).__name__}")
    return value
