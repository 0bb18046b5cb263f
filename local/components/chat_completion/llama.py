"""A llama-shaped model in torch, read straight from GGUF, that wastes nothing on short conversations.

Rows are laid end to end without padding. What all rows of a batch begin with (the system prompt, as a rule) is
computed once and attended to by each row: the same numbers as row by row, for a third less work.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from .errors import StepError
from .gguf_file import GgufFile
from .names import from_gguf, interleaved_heads

# (input, weight's name in GGUF without ".weight") -> output; LoRA hooks in here
Linear = Callable[[Tensor, str], Tensor]
MASK_UP_TO = 1024  # tokens in one pass; up to here one masked call beats a call a row
CHECKPOINT_ABOVE = 1024  # tokens in one pass; from here memory is worth more than time


@dataclass(frozen=True)
class Shape:
    """The figures of the architecture."""

    layers: int
    width: int
    heads: int
    kv_heads: int
    rope_base: float
    epsilon: float
    context: int

    @property
    def head(self) -> int:
        """Return the width of a head."""
        return self.width // self.heads


def shape_of(model: GgufFile) -> Shape:
    """Read the figures from GGUF metadata; other architectures than llama are refused."""
    architecture = model.get("general.architecture")
    if architecture != "llama":
        raise StepError(f"{model.path.name} is of the architecture {architecture!r}; the box trains llama models only.")
    heads = model.get("llama.attention.head_count")
    return Shape(
        layers=model.get("llama.block_count"),
        width=model.get("llama.embedding_length"),
        heads=heads,
        kv_heads=model.get("llama.attention.head_count_kv", heads),
        rope_base=model.get("llama.rope.freq_base", 10000.0),
        epsilon=model.get("llama.attention.layer_norm_rms_epsilon"),
        context=model.get("llama.context_length"),
    )


def load_weights(model: GgufFile, device: torch.device, kind: torch.dtype) -> dict[str, Tensor]:
    """Return all tensors by their GGUF name without ".weight"; vectors stay float32."""
    weights = {}
    for full in model.tensors:
        name = full.removesuffix(".weight")
        array = from_gguf(model.array(full), interleaved_heads(model, full))
        tensor = torch.from_numpy(np.array(array, np.float32)).to(device)
        weights[name] = tensor if tensor.ndim == 1 else tensor.to(kind)
    return weights


@dataclass(frozen=True)
class Batch:
    """Rows laid end to end: `prefix` tokens that all share, then each row's own tokens (`lengths`)."""

    ids: Tensor
    positions: Tensor
    prefix: int
    lengths: tuple[int, ...]


class Llama:
    """The forward pass; weights are a plain dict, so that a caller says which of them learn."""

    def __init__(self, shape: Shape, weights: dict[str, Tensor]) -> None:
        self.shape, self.weights = shape, weights

    def plain(self, x: Tensor, name: str) -> Tensor:
        """Apply a weight as it is."""
        return functional.linear(x, self.weights[name])

    def hidden(self, batch: Batch, linear: Linear) -> Tensor:
        """Return the last layer's normed states, one row a token."""
        x = functional.embedding(batch.ids, self.weights["token_embd"])
        turn, mask = self._rotation(batch.positions, x.dtype), _mask(batch)
        saving = len(batch.ids) > CHECKPOINT_ABOVE and torch.is_grad_enabled()
        for layer in range(self.shape.layers):
            if saving:
                x = checkpoint(self._block, x, layer, batch, turn, mask, linear, use_reentrant=False)
            else:
                x = self._block(x, layer, batch, turn, mask, linear)
        return self._norm(x, "output_norm")

    def logits(self, hidden: Tensor) -> Tensor:
        """Return the scores of all words; the embedding serves where there is no output matrix of its own."""
        return self.plain(hidden, "output" if "output" in self.weights else "token_embd")

    def _block(
        self, x: Tensor, layer: int, batch: Batch, turn: tuple[Tensor, Tensor], mask: Tensor | None, linear: Linear
    ) -> Tensor:
        at = f"blk.{layer}."
        x = x + linear(
            self._attention(self._norm(x, at + "attn_norm"), at, batch, turn, mask, linear), at + "attn_output"
        )
        y = self._norm(x, at + "ffn_norm")
        gated = functional.silu(linear(y, at + "ffn_gate")) * linear(y, at + "ffn_up")
        return x + linear(gated, at + "ffn_down")

    def _attention(
        self, x: Tensor, at: str, batch: Batch, turn: tuple[Tensor, Tensor], mask: Tensor | None, linear: Linear
    ) -> Tensor:
        shape = self.shape
        query = _rotated(linear(x, at + "attn_q").view(-1, shape.heads, shape.head), turn)
        key = _rotated(linear(x, at + "attn_k").view(-1, shape.kv_heads, shape.head), turn)
        value = linear(x, at + "attn_v").view(-1, shape.kv_heads, shape.head)
        times = shape.heads // shape.kv_heads
        key, value = key.repeat_interleave(times, 1), value.repeat_interleave(times, 1)
        return _attend(query, key, value, batch, mask).reshape(len(x), shape.width)

    def _norm(self, x: Tensor, name: str) -> Tensor:
        y = x.float()
        y = y * torch.rsqrt(y.square().mean(-1, keepdim=True) + self.shape.epsilon)
        return (y * self.weights[name]).to(x.dtype)

    def _rotation(self, positions: Tensor, kind: torch.dtype) -> tuple[Tensor, Tensor]:
        steps = torch.arange(0, self.shape.head, 2, device=positions.device, dtype=torch.float32) / self.shape.head
        angle = positions[:, None].float() * self.shape.rope_base**-steps
        angle = torch.cat((angle, angle), -1)[:, None]
        return angle.cos().to(kind), angle.sin().to(kind)


def _rotated(x: Tensor, turn: tuple[Tensor, Tensor]) -> Tensor:
    left, right = x.chunk(2, -1)
    return x * turn[0] + torch.cat((-right, left), -1) * turn[1]


def _attend(query: Tensor, key: Tensor, value: Tensor, batch: Batch, mask: Tensor | None) -> Tensor:
    """Let each row see the shared prefix and itself, back from each token."""
    q, k, v = (x.transpose(0, 1) for x in (query, key, value))  # heads first
    if mask is not None:
        return _one(q, k, v, mask).transpose(0, 1)
    shared, start = batch.prefix, batch.prefix
    parts = [_one(q[:, :shared], k[:, :shared], v[:, :shared], None)] if shared else []
    for length in batch.lengths:
        own = slice(start, start + length)
        keys, values = (torch.cat((x[:, :shared], x[:, own]), 1) for x in (k, v))
        seen = torch.ones(length, shared + length, dtype=torch.bool, device=q.device).tril(shared)
        parts.append(_one(q[:, own], keys, values, seen))
        start += length
    return torch.cat(parts, 1).transpose(0, 1)


def _mask(batch: Batch) -> Tensor | None:
    """Return who sees whom as one square, where it is small; None where row by row is cheaper."""
    count = len(batch.ids)
    if count > MASK_UP_TO:
        return None
    device = batch.ids.device
    sizes = torch.tensor((batch.prefix, *batch.lengths), device=device)
    row = torch.repeat_interleave(torch.arange(len(sizes), device=device), sizes)
    same = (row[:, None] == row[None]) | (row[None] == 0)
    return same & torch.ones(count, count, dtype=torch.bool, device=device).tril()


def _one(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
    one = functional.scaled_dot_product_attention(query[None], key[None], value[None], mask, is_causal=mask is None)
    return one[0]
