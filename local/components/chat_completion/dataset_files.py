"""The preprocessed data as files: token ids and labels of a set in one compact array file each."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from .encode import Example

INFO = "preprocess.json"


def write_examples(folder: Path, name: str, examples: list[Example]) -> None:
    """Write a set."""
    lengths = np.array([len(example.ids) for example in examples], np.int32)
    ids = np.array([i for example in examples for i in example.ids], np.int32)
    labelled = np.array([flag for example in examples for flag in example.labelled], bool)
    np.savez_compressed(folder / f"{name}.npz", lengths=lengths, ids=ids, labelled=np.packbits(labelled))


def read_examples(folder: Path, name: str) -> list[Example]:
    """Read a set."""
    with np.load(folder / f"{name}.npz") as stored:
        ends = np.cumsum(stored["lengths"])
        ids = stored["ids"]
        labelled = np.unpackbits(stored["labelled"], count=len(ids)).astype(bool)
    starts = np.concatenate(([0], ends[:-1]))
    return [
        Example(ids[start:end].tolist(), labelled[start:end].tolist()) for start, end in zip(starts, ends, strict=True)
    ]


def write_info(folder: Path, info: dict[str, object]) -> None:
    """Write what was counted."""
    (folder / INFO).write_text(json.dumps(info, indent=2), encoding="utf-8")
