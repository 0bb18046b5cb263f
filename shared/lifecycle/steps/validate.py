"""An upload that was received: wait until its folder is quiet, check it, snapshot it, begin its run."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec

from shared import reports
from shared.azure.blobs import Container, Listed
from shared.datasets import check
from shared.datasets.config import FILE, Config, config_finding, parse
from shared.datasets.findings import Finding
from shared.datasets.paths import bad_name, place
from shared.datasets.split import SIDES
from shared.errors import ConflictError, NotFoundError, UserError
from shared.lifecycle.outcome import Again, Enter, Outcome
from shared.reports import tables
from shared.runs import identity, store, work
from shared.runs.records import Moment, Run, Upload, now, stamp
from shared.settings import settings
from shared.training import base_model, parameters

DATASETS = Container("datasets")
SNAPSHOTS = Container("snapshots")


def folder(name: str) -> list[Listed]:
    """The blobs that belong to a dataset's name: its data, test and validation files, its configuration."""
    found = (blob for blob in DATASETS.list(name))
    return [blob for blob in found if (where := place(blob.path)) is not None and where.name == name]


def companions(blobs: list[Listed]) -> dict[str, str]:
    """Path and ETag of what lies beside the datasets of a folder."""
    return {blob.path: blob.etag for blob in blobs if (where := place(blob.path)) and where.role != "dataset"}


def validate(upload: Upload) -> Outcome:
    """Settles, checks and snapshots an upload; the outcome is accepted, rejected, duplicate or withdrawn."""
    blobs = folder(upload.name)
    ours = next((blob for blob in blobs if blob.path == upload.path), None)
    if ours is None:
        return Enter("withdrawn", "deleted before its verdict")
    if ours.etag != upload.etag:
        return Enter("withdrawn", "overwritten before its verdict")
    quiet_at = max(blob.modified for blob in blobs) + timedelta(seconds=settings().settle)
    wait = (quiet_at - DATASETS.now()).total_seconds()
    if wait > 0:
        return Again(wait)
    upload.companions = companions(blobs)
    try:
        return _judge(upload, ours)
    except (ConflictError, NotFoundError):
        return Again(1.0)  # something was overwritten or deleted while it was read: decide anew


def _judge(upload: Upload, blob: Listed) -> Outcome:
    too_big = blob.size > settings().max_file_mb * 1_000_000
    proposal = bad_name(upload.name)
    if too_big or proposal:
        told = (
            Finding(
                "too_large", "error", f"the file has {blob.size:,} bytes", f"drop at most {settings().max_file_mb} MB"
            )
            if too_big
            else Finding(
                "bad_name", "error", f"{upload.name!r} is no name for a model", f"call the folder {proposal!r}"
            )
        )
        return _reject(upload, check.Verdict(False, 0, [told], 1, {}), {})
    data = _config_bytes(upload)
    config, wrong = parse(data) if data is not None else (Config(), [])
    with tempfile.TemporaryDirectory(prefix="droptune-") as scratch:
        verdict = check.check(_files(upload), config, wrong, Path(scratch))
        if not verdict.accepted:
            return _reject(upload, verdict, {})
        try:
            model, chosen, left_out = _choose(config)
        except UserError as error:
            found = config_finding(data, error.field or "", error.reason, error.fix)
            more = msgspec.structs.replace(
                verdict, accepted=False, findings=[found, *verdict.findings], findings_total=verdict.findings_total + 1
            )
            return _reject(upload, more, {})
        run = _begin(upload, blob, verdict, config, model, chosen, left_out)
        snapshot(run.dataset["snapshot"], Path(scratch), verdict)
        extra = tables.describe(Path(scratch) / "train.jsonl")
    return _accept(upload, run, verdict, extra)


def _files(upload: Upload) -> dict[str, Iterator[bytes]]:
    files = {"dataset": DATASETS.chunks(upload.path, upload.etag)}
    for path, etag in upload.companions.items():
        where = place(path)
        if where is not None and where.role in ("test", "validation"):
            files[where.role] = DATASETS.chunks(path, etag)
    return files


def _config_bytes(upload: Upload) -> bytes | None:
    path = next((path for path in upload.companions if path.endswith(f"/{FILE}")), None)
    return b"".join(DATASETS.chunks(path, upload.companions[path])) if path else None


def _choose(config: Config) -> tuple[base_model.BaseModel, dict[str, Any], list[str]]:
    model = base_model.find(config.base_model or settings().base_model)
    inputs = base_model.find_pipeline().inputs
    chosen, left_out = parameters.effective(
        inputs, parameters.model_defaults(model.tags), config.parameters, settings().allowed_inputs
    )
    return model, chosen, left_out


def _begin(
    upload: Upload,
    blob: Listed,
    verdict: check.Verdict,
    config: Config,
    model: base_model.BaseModel,
    chosen: dict[str, Any],
    left_out: list[str],
) -> Run:
    rest = {
        "compute": config.compute,
        "gate": msgspec.to_builtins(config.gate),
        "deploy": msgspec.to_builtins(config.deploy),
    }
    run = identity.run_id(upload.name, verdict.digest, chosen, f"{model.name}:{model.version}", rest)
    return Run(
        id=run,
        name=upload.name,
        state="validated",
        created=now(),
        next_look=now(),
        dataset={
            "path": upload.path,
            "etag": upload.etag,
            "modified": stamp(blob.modified),
            "rows": verdict.rows,
            **{f"{side}_rows": count for side, count in verdict.counts.items()},
            "tokens_estimate": verdict.profile["tokens_estimate"],
            "snapshot": f"{upload.name}/{blob.etag}-r{check.RULES_VERSION}-{verdict.digest[:12]}",
            "sha256": verdict.digest,
        },
        base_model={"id": model.id, "name": model.name, "version": model.version},
        parameters=chosen,
        config={**msgspec.to_builtins(config), "left_out": left_out},
        timeline=[
            *(moment for moment in upload.timeline if moment.state == "received"),
            Moment("validated", now(), f"{verdict.rows} rows"),
        ],
    )


def snapshot(prefix: str, scratch: Path, verdict: check.Verdict) -> None:
    """Writes the clean files and, last, their manifest: what was checked is what is trained."""
    if SNAPSHOTS.properties(f"{prefix}/manifest.json"):
        return
    for side in SIDES:
        with (scratch / f"{side}.jsonl").open("rb") as file:
            SNAPSHOTS.write_file(f"{prefix}/{side}.jsonl", file)
    manifest = {"sha256": verdict.digest, "rules": check.RULES_VERSION, "counts": verdict.counts}
    SNAPSHOTS.write(f"{prefix}/manifest.json", msgspec.json.encode(manifest))


def _reject(upload: Upload, verdict: check.Verdict, extra: dict[str, Any]) -> Outcome:
    first = next(finding for finding in verdict.findings if finding.severity == "error")
    where = ", ".join(
        part for part in (first.file or "", f"line {first.line}" if first.line else "", first.field or "") if part
    )
    reason = f"{where}: {first.message}" if where else first.message
    reports.publish(upload.path, {**_report(upload, verdict), "state": "rejected", "reason": reason, "fix": first.fix})
    return Enter("rejected", reason, reason, first.fix)


def _accept(upload: Upload, run: Run, verdict: check.Verdict, extra: dict[str, Any]) -> Outcome:
    upload.run = run.id
    made = store.create(run)
    report = {**_report(upload, verdict), **extra, "run": run.id}
    if made is None:
        found = store.load("run", run.id)
        known: Run = found.record
        if (known.dataset["path"], known.dataset["etag"]) != (upload.path, upload.etag):
            told = f"same content, parameters and base model as run {run.id} ({known.state})"
            known.timeline.append(Moment(known.state, now(), f"the same was dropped again as {upload.path}"))
            store.save(found)
            reports.publish(upload.path, {**report, "state": "duplicate", "reason": told})
            return Enter("duplicate", told, told)
        work.look_at("run", run.id)
        return Enter("accepted", run.id)
    work.look_at("run", run.id)
    reports.publish(upload.path, {**report, "state": "accepted", "timeline": msgspec.to_builtins(run.timeline)})
    return Enter("accepted", run.id)


def _report(upload: Upload, verdict: check.Verdict) -> dict[str, Any]:
    return {"file": upload.path, "etag": upload.etag, "name": upload.name, "reason": "", "fix": "", **verdict.as_json()}
