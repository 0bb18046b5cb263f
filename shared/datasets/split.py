"""Which rows train, validate and test: by a seeded hash of the row, so that the same row always lands on the same side.

Without a validation or a test file the pipeline itself would train on the first 80 % of the rows only (source:
AZUREML_CONTRACT section 0, no. 10): droptune always gives all three.
"""

from __future__ import annotations

from hashlib import blake2b

SIDES = ("train", "validation", "test")
_SCALE = 2**64


def place_of(row: bytes) -> float:
    """A number in [0, 1) that depends on the row's bytes alone."""
    return int.from_bytes(blake2b(row, digest_size=8, person=b"droptune-split").digest(), "big") / _SCALE


def side_of(row: bytes, validation_fraction: float, test_fraction: float) -> str:
    """`test`, `validation` or `train` for a row; a fraction of 0 means that the side has a file of its own."""
    place = place_of(row)
    if place < test_fraction:
        return "test"
    return "validation" if place < test_fraction + validation_fraction else "train"


def fill_empty(rows: dict[str, list[bytes]], wanted: list[str]) -> list[str]:
    """Gives each empty side in `wanted` a row of the training side, and returns the sides that had to share one.

    The row with the smallest place is moved; where the training side has no two different rows, it is shared.
    """
    shared = []
    for side in wanted:
        if rows[side] or not rows["train"]:
            continue
        chosen = min(rows["train"], key=place_of)
        others = [row for row in rows["train"] if row != chosen]
        rows[side] = [chosen]
        if others:
            rows["train"] = others
        else:
            shared.append(side)
    return shared
