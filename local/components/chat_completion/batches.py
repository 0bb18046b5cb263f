"""From encoded examples to batches of the model: order, packing, and which predictions count."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

import torch
from torch import Tensor

from .encode import Example
from .llama import Batch

TOKENS_AT_ONCE = 2048  # a batch with more is computed in parts, with the same result


@dataclass(frozen=True)
class Work:
    """A packed batch, the places whose next token is predicted, and those tokens."""

    batch: Batch
    places: Tensor
    targets: Tensor


def shuffled(count: int, seed: int, epoch: int) -> list[int]:
    """Return the order of the rows in an epoch."""
    generator = torch.Generator().manual_seed(seed * 1000 + epoch)
    order: list[int] = torch.randperm(count, generator=generator).tolist()
    return order


def grouped(order: Sequence[int], size: int) -> list[list[int]]:
    """Cut an order into batches; the last may be smaller."""
    return [list(order[start : start + size]) for start in range(0, len(order), size)]


def parts(examples: Sequence[Example], limit: int = TOKENS_AT_ONCE) -> Iterator[list[Example]]:
    """Cut a batch so that no part has more tokens than the limit (a longer row is a part of its own)."""
    part: list[Example] = []
    for example in examples:
        if part and sum(len(x.ids) for x in part) + len(example.ids) > limit:
            yield part
            part = []
        part.append(example)
    if part:
        yield part


def packed(examples: Sequence[Example], device: torch.device) -> Work:
    """Lay rows end to end behind what they all begin with."""
    shared = _shared(examples)
    ids = list(examples[0].ids[:shared])
    positions = list(range(shared))
    places: list[int] = []
    targets: list[int] = []
    for example in examples:
        offset = len(ids) - shared
        ids += example.ids[shared:]
        positions += range(shared, len(example.ids))
        for at in range(1, len(example.ids)):
            if example.labelled[at]:
                # The token before a row's first own one is the prefix's last.
                places.append(at - 1 + (offset if at > shared else 0))
                targets.append(example.ids[at])
    lengths = tuple(len(example.ids) - shared for example in examples)
    tensors = (torch.tensor(values, dtype=torch.long, device=device) for values in (ids, positions, places, targets))
    packed_ids, packed_positions, where, what = tensors
    return Work(Batch(packed_ids, packed_positions, shared, lengths), where, what)


def _shared(examples: Sequence[Example]) -> int:
    """Return how many tokens all rows begin with; each row keeps at least one of its own, and labels are not shared."""
    if len(examples) < 2:
        return 0
    columns = zip(*(example.ids for example in examples), strict=False)
    common = sum(1 for _ in takewhile(lambda column: len(set(column)) == 1, columns))
    shortest = min(len(example.ids) for example in examples)
    unlabelled = min([*example.labelled, True].index(True) for example in examples)
    return min(common, shortest - 1, unlabelled)
