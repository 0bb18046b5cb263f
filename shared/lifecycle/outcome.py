"""What a step says when it ends: go on to a state, or look again later. Nothing else."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Enter:
    """The record enters a state; where something is left to do, the next look comes after `delay` seconds."""

    state: str
    detail: str = ""
    reason: str = ""
    fix: str = ""
    delay: float = 0.0


@dataclass(frozen=True)
class Again:
    """Nothing changed that matters: look again in `delay` seconds; `changed` tells whether the record must be saved."""

    delay: float
    changed: bool = False


@dataclass(frozen=True)
class Leave:
    """Somebody else has it, or nothing is to be done: no further look is asked for."""


# Why a run is left behind, in the words that its report shows.
NEWER = "a newer upload of this folder has the endpoint"
OVERWRITTEN = "overwritten before its verdict"

Outcome = Enter | Again | Leave
