"""Runs, uploads and endpoints as the command line and HTTP show them (INTERFACES: "A run, as JSON")."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec

from shared.errors import ServiceError
from shared.lifecycle import evaluated, patience
from shared.lifecycle.outcome import OVERWRITTEN
from shared.runs import store
from shared.runs.records import Endpoint, Interval, Run, Upload, moment, now
from shared.training import prices

_HIDDEN = {"modified", "order", "sha256"}


def event(run: Run) -> dict[str, Any]:
    """What a published lifecycle event carries."""
    return {"run": run.id, "name": run.name, "state": run.state, "reason": run.reason, "fix": run.fix}


def runs(name: str = "", state: str = "") -> list[dict[str, Any]]:
    """All runs, newest first; an upload that has no run stands in its place."""
    records: list[Run | Upload] = [record for record in store.all_of("run") if not name or record.name == name]
    records += [record for record in store.all_of("upload") if (not name or record.name == name) and _has_row(record)]
    endpoints = {record.name: record for record in store.all_of("endpoint")}
    rows = [run_json(record, endpoints.get(record.name)) for record in records]
    chosen = [row for row in rows if not state or row["state"] == state]
    return sorted(chosen, key=lambda row: str(row["created"]), reverse=True)


def _has_row(upload: Upload) -> bool:
    """Whether an upload stands in the place of its run: not where it has one, or was overwritten before its verdict."""
    if upload.state == "withdrawn":
        return not upload.run and upload.timeline[-1].detail != OVERWRITTEN
    return upload.state in ("received", "rejected")


def run_json(record: Run | Upload, endpoint: Endpoint | None) -> dict[str, Any]:
    """One run or upload as JSON; a live run of a sleeping endpoint is shown as `asleep`."""
    plain: dict[str, Any] = {
        "id": record.id,
        "name": record.name,
        "state": record.state,
        "reason": record.reason,
        "fix": record.fix,
        "created": record.created,
        "dataset": {},
        "parameters": {},
        "job": {},
        "metrics": {},
        "model": {},
        "endpoint": {},
        "evaluation": {},
        "cost": {},
        "timeline": msgspec.to_builtins(record.timeline),
    }
    if isinstance(record, Upload):
        plain["dataset"] = {"path": record.path, "etag": record.etag, "companions": sorted(record.companions)}
        return plain
    plain |= {
        "attempt": record.attempt,
        "base_model": record.base_model,
        "dataset": {key: value for key, value in record.dataset.items() if key not in _HIDDEN},
        "parameters": record.parameters,
        "job": record.job,
        "metrics": record.metrics,
        "model": record.model,
        "endpoint": record.endpoint,
        "evaluation": evaluated.figures(record),
        "cost": _cost(record, endpoint),
    }
    if record.state == "live" and endpoint and endpoint.run == record.id:
        plain["endpoint"] = {**record.endpoint, "deployment": endpoint.deployment}  # each wake-up makes a new one
        plain["state"] = "live" if endpoint.state == "awake" else "asleep"
    return plain


def with_live_metrics(row: dict[str, Any]) -> dict[str, Any]:
    """A run that trains, with the metrics that its job has logged so far."""
    from shared.models import metrics

    if row["state"] == "submitted" and row["job"].get("name"):
        try:
            return {**row, "metrics": metrics.read(row["job"]["name"])}
        except ServiceError:
            return row
    return row


def endpoint_json(record: Endpoint) -> dict[str, Any]:
    """An endpoint as JSON, with its money and when it may sleep."""
    choice = patience.window(record)
    return {
        "name": record.name,
        "state": record.state,
        "endpoint": record.endpoint_name,
        "run": record.run,
        "deployment": record.deployment,
        "traffic": {record.deployment: 100} if record.state == "awake" else {},
        "previous": record.previous,
        "instance_type": record.instance_type,
        "idle_after_seconds": choice.seconds,
        "idle": {
            "policy": "auto" if patience.learns(record) else "fixed" if choice.seconds else "never",
            "window_seconds": round(choice.seconds, 1),
            "reason": choice.reason,
            "awake": record.awake,
            "kept_until": record.kept_until,
            "deleted_at": record.ends,
        },
        "wake_seconds": record.wake_seconds,
        "scoring_uri": record.scoring_uri,
        "cost": endpoint_cost(record),
        "timeline": msgspec.to_builtins(record.timeline),
    }


def endpoint_cost(record: Endpoint) -> dict[str, Any]:
    """What an endpoint's deployments cost, what sleeping saved, what bills now an hour (USD)."""
    seconds = sum(_seconds(entry) for entry in record.billed)
    usd = sum(prices.cost(entry.instance_type, _seconds(entry)) for entry in record.billed)
    hourly = prices.hourly(record.instance_type) or 0.0
    began = record.billed[0].since if record.billed else ""
    over = max((entry.until or now() for entry in record.billed), default="") if record.state == "absent" else now()
    whole = (moment(over) - moment(began)) if began else timedelta()
    slept = max(0.0, whole.total_seconds() - seconds)
    bills = any(not entry.until for entry in record.billed)
    return {
        "serving_seconds": round(seconds, 1),
        "serving_usd": round(usd, 4),
        "slept_seconds": round(slept, 1),
        "saved_usd": round(slept / 3600 * hourly, 4),
        "bills_now_usd_an_hour": hourly if bills else 0.0,
    }


def cost(since: str = "") -> dict[str, Any]:
    """What ran, what it cost, what sleeping saved, what bills now and why; runs created before `since` are left out."""
    chosen = [run for run in store.all_of("run") if run.created >= since]
    endpoints: list[Endpoint] = store.all_of("endpoint")
    training = sum(float(run.cost.get("training_usd", 0)) for run in chosen)
    serving = [{"name": record.name, "state": record.state, **endpoint_cost(record)} for record in endpoints]
    total = {
        key: round(sum(row[key] for row in serving), 4) for key in ("serving_usd", "saved_usd", "bills_now_usd_an_hour")
    }
    return {
        "currency": "USD",
        "basis": "list prices of Azure sizes (eastus, pay as you go): estimates",
        "training_usd": round(training, 4),
        **total,
        "total_usd": round(training + total["serving_usd"], 4),
        "runs": [
            {"id": run.id, "state": run.state, "training_usd": run.cost.get("training_usd", 0.0)} for run in chosen
        ],
        "endpoints": serving,
    }


def _cost(run: Run, endpoint: Endpoint | None) -> dict[str, Any]:
    serving = 0.0
    if endpoint and run.endpoint.get("deployment"):
        mine = [entry for entry in endpoint.billed if run.id == entry.run or entry.deployment == _deployment(run)]
        serving = sum(prices.cost(entry.instance_type, _seconds(entry)) for entry in mine)
    training = float(run.cost.get("training_usd", 0.0))
    return {**run.cost, "serving_usd": round(serving, 4), "total_usd": round(training + serving, 4)}


def _deployment(run: Run) -> str:
    return str(run.endpoint.get("deployment", ""))


def _seconds(entry: Interval) -> float:
    return (moment(entry.until or now()) - moment(entry.since)).total_seconds()
