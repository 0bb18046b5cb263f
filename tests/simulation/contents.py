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
    "unknown": b"nonsense = 1\n",
}
