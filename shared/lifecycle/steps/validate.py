"""An upload that was received: wait until its folder is quiet, check it, snapshot it, begin its run."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec

from shared.azure.seen import Listed
from shared.datasets import check
from shared.datasets.config import FILE, Config, config_finding, parse
from shared.datasets.findings import Finding
from shared.datasets.paths import bad_name
from shared.errors import ConflictError, NotFoundError, UserError
from shared.lifecycle import begin, notify, patience, snapshots, verdicts
from shared.lifecycle.outcome import OVERWRITTEN, Again, Enter, Outcome
from shared.lifecycle.uploads import DATASETS, companions, files, folder
from shared.runs.records import Upload
from shared.settings import settings
from shared.training import base_model, parameters
from shared.training.forecast import forecast


def validate(upload: Upload) -> Outcome:
    """Settles, checks and snapshots an upload; the outcome is accepted, rejected, duplicate or withdrawn."""
    blobs = folder(upload.name)
    ours = next((blob for blob in blobs if blob.path == upload.path), None)
    if ours is None:
        return Enter("withdrawn", "deleted before its verdict")
    if ours.etag != upload.etag:
        return Enter("withdrawn", OVERWRITTEN)
    quiet_at = max(blob.modified for blob in blobs) + timedelta(seconds=settings().settle)
    wait = (quiet_at - DATASETS.now()).total_seconds()
    if wait > 0:
        return Again(wait)
    if any(blob.arriving for blob in blobs):
        return Again(settings().poll)
    upload.companions = companions(blobs)
    try:
        return _judge(upload, ours, blobs)
    except (ConflictError, NotFoundError):
        return Again(1.0)  # something was overwritten or deleted while it was read: decide anew


def _judge(upload: Upload, blob: Listed, blobs: list[Listed]) -> Outcome:
    if (wrong := _at_a_glance(upload, blob)) is not None:
        return verdicts.reject(upload, check.Verdict(False, 0, [wrong], 1, {}))
    data = _config_bytes(upload)
    config, findings = parse(data) if data is not None else (Config(), [])
    findings = findings or patience.refused(config, data) or notify.refused(config, data)
    upload.notice = notify.named(upload.notice, "" if findings else config.notify.webhook or "")
    sources = files(blob, blobs)
    beside = [(source.path, source.etag) for role, source in sources.items() if role != "dataset"]
    where = snapshots.prefix(upload.name, blob.etag, [beside, config.test_fraction, config.validation_fraction])
    manifest = snapshots.find(where)
    with snapshots.Snapshot(where) as snapshot:
        sink = snapshot.begin if manifest is None and not findings else None
        try:
            verdict = check.check(sources, config, findings, terms=_terms(config), sink=sink)
        except UserError as error:
            told = Finding("too_large", "error", error.reason, error.fix)
            verdict = check.Verdict(False, 0, [told], 1, {})
        if not verdict.accepted:
            return verdicts.reject(upload, verdict)
        try:
            model, chosen, left_out = _choose(config)
        except UserError as error:
            return verdicts.reject(
                upload, _refused(verdict, config_finding(data, error.field or "", error.reason, error.fix))
            )
        manifest = manifest or snapshot.commit(verdict.counts)
    settings_of_run = {**msgspec.to_builtins(config), "left_out": left_out}
    del settings_of_run["notify"]  # an address is a secret: it stands in one place of the record
    run = begin.run(upload, blob, _dropped(blob, blobs), verdict, (where, manifest), (model, chosen, settings_of_run))
    size = "" if config.compute else settings().compute_size  # a cluster of the dropper's is looked at when it trains
    weights = model.tags.get("box_weights")
    expected = forecast(run.dataset, chosen, model.name, size, box_weights=weights) if size else None
    return verdicts.accept(upload, run, verdict, expected)


def _dropped(blob: Listed, blobs: list[Listed]) -> datetime:
    """When the youngest file that the run is made of was written."""
    beside = companions(blobs)
    return max(entry.modified for entry in blobs if entry.path == blob.path or entry.path in beside)


def _at_a_glance(upload: Upload, blob: Listed) -> Finding | None:
    """What can be said before a byte is read."""
    most = settings().max_file_mb
    if blob.size > most * 1_000_000:
        return Finding("too_large", "error", f"the file has {blob.size:,} bytes", f"Drop at most {most:,} MB.")
    if proposal := bad_name(upload.name):
        return Finding("bad_name", "error", f"{upload.name!r} is no name for a model", f"Call the folder {proposal!r}.")
    return None


def _terms(config: Config) -> check.Terms:
    """What the dropper and the operator want; of two wishes about personal data the stricter one counts."""
    policies = ("off", "warn", "reject")
    model = (config.base_model or settings().base_model).rstrip("/").rsplit("/models/", 1)[-1]
    pii = max(config.checks.pii, settings().pii, key=policies.index)
    return check.Terms(model.split("/")[0].split(":")[0], settings().tokenizer, pii)


def _refused(verdict: check.Verdict, found: Finding) -> check.Verdict:
    more = [found, *verdict.findings]
    return msgspec.structs.replace(verdict, accepted=False, findings=more, findings_total=verdict.findings_total + 1)


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
