"""The state machine: which step an upload, a run or an endpoint takes in which state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from shared.lifecycle.outcome import Outcome
from shared.lifecycle.steps import deploy, go_live, register, sleep, submit, validate, wake, watch

Step = Callable[[Any], Outcome]

STEPS: dict[str, dict[str, Step]] = {
    "upload": {"received": validate.validate},
    "run": {
        "validated": submit.submit,
        "submitted": watch.watch,
        "trained": register.register,
        "registered": deploy.deploy,
        "deploying": go_live.go_live,
    },
    "endpoint": {
        "awake": sleep.consider_sleep,
        "falling_asleep": sleep.fall_asleep,
        "asleep": wake.consider_wake,
        "waking": wake.wake,
    },
}

MOVES: dict[str, dict[str, tuple[str, ...]]] = {
    "upload": {
        "received": ("accepted", "rejected", "duplicate", "withdrawn"),
        # what lies beside the file changed
        "accepted": ("received",),
        "rejected": ("received",),
        "duplicate": ("received",),
        "withdrawn": ("received",),
    },
    "run": {
        "validated": ("submitted", "refused", "failed", "cancelled"),
        "submitted": ("trained", "failed", "cancelled"),
        "trained": ("registered", "failed", "cancelled"),
        "registered": ("deploying", "gated_out", "superseded", "failed", "cancelled"),
        "deploying": ("live", "gated_out", "rolled_back", "failed", "superseded", "cancelled"),
        "live": ("superseded", "rolled_back", "cancelled"),
        # a retry goes on from what is still good; the same dropped again as the newest gets the endpoint again
        "failed": ("validated", "trained", "registered"),
        "refused": ("validated",),
        "gated_out": ("validated",),
        "cancelled": ("validated", "trained", "registered"),
        # a rollback brings the run before back
        "superseded": ("registered",),
        "rolled_back": ("validated", "trained", "registered"),
    },
    "endpoint": {
        "absent": ("asleep", "awake"),
        "asleep": ("waking", "awake", "absent"),
        "waking": ("awake", "asleep", "absent"),
        "awake": ("falling_asleep", "awake", "asleep", "absent"),
        "falling_asleep": ("asleep", "awake", "absent"),
    },
}
