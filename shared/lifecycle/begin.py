"""An accepted dataset becomes a run: its identity, and all that it will need to know."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from shared.azure.seen import Listed
from shared.datasets.check import Verdict
from shared.lifecycle.snapshots import Manifest
from shared.runs import identity
from shared.runs.records import Moment, Notice, Run, Upload, now, stamp
from shared.training.base_model import BaseModel
from shared.training.forecast import trained_tokens


def run(
    upload: Upload,
    blob: Listed,
    dropped: datetime,
    verdict: Verdict,
    snapshot: tuple[str, Manifest],
    plan: tuple[BaseModel, dict[str, Any], dict[str, Any]],
) -> Run:
    """The run of a verdict: `snapshot` is where it lies and what it holds, `plan` base model, parameters and settings.

    `dropped` is when the youngest of its files was written, by the storage's clock.
    Its id derives from the folder, the snapshot's hash, the parameters, the base model's version, and what else of the
    settings changes the outcome.
    """
    (where, manifest), (model, chosen, config) = snapshot, plan
    rest = {key: _asked(config[key]) for key in ("compute", "gate", "deploy")}
    return Run(
        id=identity.run_id(upload.name, manifest.sha256, chosen, f"{model.name}:{model.version}", rest),
        name=upload.name,
        state="validated",
        created=now(),
        next_look=now(),
        dataset={
            "path": upload.path,
            "etag": upload.etag,
            "modified": stamp(blob.modified),
            "order": f"{stamp(blob.modified)}|{stamp(dropped)}|{blob.etag}",
            "rows": verdict.rows,
            **{f"{side}_rows": count for side, count in verdict.counts.items()},
            **trained_tokens(verdict.profile, verdict.counts),
            "snapshot": where,
            "sha256": manifest.sha256,
        },
        base_model={"id": model.id, "name": model.name, "version": model.version},
        parameters=chosen,
        config=config,
        notice=Notice(upload.notice.webhook),
        timeline=[
            *(moment for moment in upload.timeline if moment.state == "received"),
            Moment("validated", now(), f"{verdict.rows} rows"),
        ],
    )


# What droptune.toml could say when the first runs got their ids; what came later counts where it is said.
_FIRST = ("eval_loss_at_most", "instance_type", "idle_after")


def _asked(part: Any) -> Any:
    if not isinstance(part, dict):
        return part
    return {key: value for key, value in part.items() if value is not None or key in _FIRST}


def is_of(run: Run, upload: Upload) -> bool:
    """Whether a run was begun for an upload, and not for an equal one."""
    return (run.dataset["path"], run.dataset["etag"]) == (upload.path, upload.etag)


def order(run: Run) -> str:
    """What orders the uploads of a folder, as text: when each was written, then the youngest that lies beside it, its ETag.

    A run that an older droptune began has only the first. What lies beside comes second: an older upload that is judged
    after a new `droptune.toml` came must not outrank a newer one that was judged before.
    """
    return str(run.dataset.get("order") or run.dataset["modified"])
