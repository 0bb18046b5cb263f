"""What people drop in a simulation: small datasets, good and bad, and settings beside them."""

from __future__ import annotations

import json
from functools import lru_cache


@lru_cache(maxsize=64)
def rows(subject: str, count: int = 24) -> bytes:
    """A dataset about a subject."""
    return b"".join(_row(f"{subject} question {number}", f"{subject} answer {number}") for number in range(count))


def _row(question: str, answer: str) -> bytes:
    messages = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return json.dumps({"messages": messages}).encode() + b"\n"


BAD = rows("bad")[:-30]  # cut off in the middle of the last line
EMPTY = b""
SETTINGS = {
    "epochs": b"[parameters]\nnum_train_epochs = 2\n",
    "gate": b"[gate]\neval_loss_at_most = 1.0\n",
    "cheap": b"[budget]\nmax_cost_usd = 0.01\n",
    "canary": b"[deploy]\ncanary = [20, 100]\nmirror = 10\n",
    "better": b"[gate]\nbetter_than_live = true\n",
    "unknown": b"nonsense = 1\n",
}

# What becomes of a job by what it trains on: how it ends, and whether it has an output.
FATES = {
    "failing": "Failed",
    "silent": "NotResponding",
    "strange": "Hibernated",  # a state that Azure may have tomorrow
    "stopped": "Canceled",
    "hollow": "Completed",
    "heavy": "Completed",
}


def fate(data: bytes) -> str:
    """The subject of a dataset that must not become a live model, or an empty text."""
    return next((subject for subject in FATES if f"{subject} question".encode() in data), "")


def ends(data: bytes) -> tuple[str, ...]:
    """How a run of it ends where nothing else happens to it; `duplicate` where the same was dropped before."""
    subject = fate(data)
    if not subject:
        return "live", "duplicate"
    return ("cancelled" if subject == "stopped" else "failed"), "duplicate"
