"""How the learning rate changes while it trains: the six shapes that the component offers."""

from __future__ import annotations

import math
from collections.abc import Callable


def _linear(done: float) -> float:
    return 1 - done


def _cosine(done: float) -> float:
    return 0.5 * (1 + math.cos(math.pi * done))


def _constant(done: float) -> float:
    return 1.0


# One restart and power one are the defaults of transformers, which the real component keeps.
SHAPES: dict[str, Callable[[float], float]] = {
    "linear": _linear,
    "cosine": _cosine,
    "cosine_with_restarts": _cosine,
    "polynomial": _linear,
    "constant": _constant,
    "constant_with_warmup": _constant,
}


def factor(kind: str, step: int, warmup: int, total: int) -> float:
    """Return what the learning rate is multiplied by at a step (from 0), with `warmup` steps of a straight rise."""
    if step < warmup and kind != "constant":
        return step / max(1, warmup)
    return max(0.0, SHAPES[kind](min(1.0, (step - warmup) / max(1, total - warmup))))
