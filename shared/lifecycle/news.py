"""What a webhook is told: a CloudEvent with the run as everybody sees it, and one sentence for people.

    {"specversion": "1.0", "id": …, "type": "Droptune.RunFailed", "subject": "runs/…", "data": {…}, "text": "acme: …"}

Slack and Teams show `text`; CloudEvents 1.0 takes it for an extension. No row, no prompt, no key is in it.
"""

from __future__ import annotations

from typing import Any

import msgspec

from shared import clock
from shared.events import event_type
from shared.lifecycle import views
from shared.runs.records import Endpoint, Run, Upload, rests_since
from shared.settings import settings

MOST_MOMENTS, MOST_LETTERS = 50, 1000  # Teams takes 28 KB in all
WORDS = {
    "live": "is live",
    "refused": "was refused",
    "failed": "failed",
    "gated_out": "was not deployed: its gate was not passed",
    "rolled_back": "was rolled back",
    "cancelled": "was cancelled",
    "superseded": "was superseded",
    "rejected": "was rejected",
}


def document(record: Run | Upload, endpoint: Endpoint | None) -> bytes:
    """The body of the request, as JSON."""
    is_run = isinstance(record, Run)
    event = {
        "specversion": "1.0",
        "id": identity(record),
        "source": f"/droptune/{settings().workspace_name}",
        "type": event_type(record.state) if is_run else "Droptune.UploadRejected",
        "subject": f"{'runs' if is_run else 'uploads'}/{record.id}",
        "time": rests_since(record),
        "datacontenttype": "application/json",
        "data": _data(record, endpoint),
        "text": text(record),
    }
    return msgspec.json.encode(event)


def headers(record: Run | Upload) -> dict[str, str]:
    """The headers of the request, with the names that standardwebhooks.com gives them; the id is the same at each try."""
    return {
        "Content-Type": "application/json",
        "User-Agent": "droptune",
        "webhook-id": identity(record),
        "webhook-timestamp": str(int(clock.now().timestamp())),
    }


def identity(record: Run | Upload) -> str:
    """The id of what happened: the record and when it came to this rest; by it a receiver knows what it has been told."""
    return f"{record.id}@{rests_since(record)}"


def text(record: Run | Upload) -> str:
    """One sentence with reason and mend, as Slack wants it: `&`, `<` and `>` are written out, so that nobody is called.

    >>> text(Run(id="acme-1", name="acme", state="failed", reason="the job is gone", fix="retry the run"))
    'acme: run acme-1 failed: the job is gone. Mend: retry the run.'
    """
    what = f"run {record.id}" if isinstance(record, Run) else record.path.rpartition("/")[2]
    told = f"{record.name}: {what} {WORDS[record.state]}"
    parts = [": ".join(part for part in (told, _plain(record.reason)) if part)]
    if fix := _plain(record.fix):
        parts.append(f"Mend: {fix}")
    whole = " ".join(f"{part}." for part in parts)
    return whole.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _plain(said: str) -> str:
    return " ".join(said.split())[:MOST_LETTERS].rstrip(".")


def _data(record: Run | Upload, endpoint: Endpoint | None) -> dict[str, Any]:
    """The record as views show it, but for long curves and what is long past; `live` is `live`, also where it sleeps by now."""
    shown = {**views.run_json(record, endpoint), "state": record.state}
    shown["metrics"] = {name: value for name, value in shown["metrics"].items() if name != "curves"}
    shown["timeline"] = shown["timeline"][-MOST_MOMENTS:]
    return shown
