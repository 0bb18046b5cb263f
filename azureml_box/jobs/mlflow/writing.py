"""What a run logs, within MLflow's limits.

Source: mlflow.org/docs/latest/rest-api.html#log-batch ("request limits"); the lengths are those of `mlflow/utils/validation.py`
in mlflow-skinny 3.17.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from azureml_box.jobs.mlflow import runs
from azureml_box.jobs.mlflow.errors import Refused, invalid, listed

if TYPE_CHECKING:
    from azureml_box.context import Box

_MOST = {"metrics": 1000, "params": 100, "tags": 100}
_MOST_IN_ALL = 1000
_LONGEST_KEY = 250
_LONGEST = {"params": 6000, "tags": 8000}


def log_batch(box: Box, sent: dict[str, Any]) -> dict[str, Any]:
    """Metrics, parameters and tags at once: all or nothing."""
    given = {kind: _entries(kind, listed(sent, kind, dict)) for kind in _MOST}
    total = sum(map(len, given.values()))
    if total > _MOST_IN_ALL:
        raise invalid(f"A batch logging request can contain at most {_MOST_IN_ALL} items. Got {total} items.")
    run = runs.find(box, sent)["name"]
    data = runs.data(box, run)
    points = [_point(entry) for entry in given["metrics"]]
    _add_params(data["params"], given["params"])
    for point in points:
        data["metrics"].setdefault(point["key"], []).append(point)
    data["tags"].update({entry["key"]: entry.get("value") for entry in given["tags"]})
    box.store.put(runs.KIND, run, data)
    return {}


def _entries(kind: str, sent: list[Any]) -> list[dict[str, Any]]:
    if len(sent) > _MOST[kind]:
        most = _MOST[kind]
        raise invalid(f"A batch logging request can contain at most {most} {kind}. Got {len(sent)} {kind}.")
    for entry in sent:
        _check(kind, entry)
    return sent


def _check(kind: str, entry: dict[str, Any]) -> None:
    key, longest = entry.get("key"), _LONGEST.get(kind)
    if not isinstance(key, str) or not key:
        raise invalid(f"Missing value for required parameter '{kind}[].key'.")
    if len(key) > _LONGEST_KEY:
        raise invalid(
            f"'{kind}' key '{key[:50]}…' had length {len(key)}, which exceeded length limit of {_LONGEST_KEY}"
        )
    if longest is not None and len(str(entry.get("value", ""))) > longest:
        length = len(str(entry["value"]))
        raise invalid(f"'{kind}' value of {key!r} had length {length}, which exceeded length limit of {longest}")


def _point(entry: dict[str, Any]) -> dict[str, Any]:
    try:
        float(entry["value"])  # "NaN" and "Infinity" come as text
        return {
            "key": entry["key"],
            "value": entry["value"],
            "timestamp": int(entry.get("timestamp") or time.time() * 1000),
            "step": int(entry.get("step") or 0),
        }
    except (KeyError, TypeError, ValueError, OverflowError):
        raise invalid(f"Got invalid value {entry.get('value')!r} for metric {entry['key']!r}.") from None


def _add_params(kept: dict[str, str], given: list[dict[str, Any]]) -> None:
    new: dict[str, str] = {}
    for entry in given:
        key, value = entry["key"], str(entry.get("value", ""))
        old = new.get(key, kept.get(key))
        if old is not None and old != value:
            raise invalid(f"Changing param values is not allowed. Param with key='{key}' was already logged: {old!r}.")
        new[key] = value
    kept.update(new)


def log_metric(box: Box, sent: dict[str, Any]) -> dict[str, Any]:
    """One value of a metric."""
    return log_batch(box, {"run_id": sent.get("run_id") or sent.get("run_uuid"), "metrics": [sent]})


def log_parameter(box: Box, sent: dict[str, Any]) -> dict[str, Any]:
    """One parameter."""
    return log_batch(box, {"run_id": sent.get("run_id") or sent.get("run_uuid"), "params": [sent]})


def set_tag(box: Box, sent: dict[str, Any]) -> dict[str, Any]:
    """One tag."""
    return log_batch(box, {"run_id": sent.get("run_id") or sent.get("run_uuid"), "tags": [sent]})


def delete_tag(box: Box, sent: dict[str, Any]) -> dict[str, Any]:
    """One tag less."""
    run, key = runs.find(box, sent)["name"], str(sent.get("key"))
    data = runs.data(box, run)
    if key not in data["tags"]:
        raise Refused(404, "RESOURCE_DOES_NOT_EXIST", f"No tag with name: {key} in run with id {run}")
    del data["tags"][key]
    box.store.put(runs.KIND, run, data)
    return {}
