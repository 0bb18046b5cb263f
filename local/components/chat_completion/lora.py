"""Low-rank adapters on all projections, saved as PEFT saves them."""

from __future__ import annotations

import json
import math
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from .llama import Llama
from .names import CONFIG, FILE, PROJECTIONS, is_projection, peft_name


class Lora:
    """Adapters for a model: for each projection a pair (down, up); `up` begins as zeros, so nothing changes at first."""

    def __init__(self, model: Llama, rank: int, alpha: float, dropout: float, seed: int) -> None:
        self.model, self.rank, self.alpha, self.dropout = model, rank, alpha, dropout
        generator = torch.Generator().manual_seed(seed)
        self.pairs: dict[str, tuple[Tensor, Tensor]] = {}
        for name, weight in model.weights.items():
            if is_projection(name):
                self.pairs[name] = _pair(weight, rank, generator)

    def parameters(self) -> list[Tensor]:
        """Return what learns."""
        return [tensor for pair in self.pairs.values() for tensor in pair]

    def linear(self, x: Tensor, name: str) -> Tensor:
        """Apply a weight and its adapter."""
        down, up = self.pairs[name]
        dropped = functional.dropout(x, self.dropout, training=self.dropout > 0 and torch.is_grad_enabled())
        low = functional.linear(dropped, down.to(x.dtype)) * (self.alpha / self.rank)
        return torch.addmm(self.model.plain(x, name), low, up.to(x.dtype).T)

    def save(self, folder: Path, base: str) -> None:
        """Write PEFT's two files."""
        from safetensors.torch import save_file

        save_file(dict(self._named()), str(folder / FILE), metadata={"format": "pt"})
        config = {
            "peft_type": "LORA",
            "task_type": "CAUSAL_LM",
            "base_model_name_or_path": base,
            "r": self.rank,
            "lora_alpha": self.alpha,
            "lora_dropout": self.dropout,
            "target_modules": sorted(name.rpartition(".")[2] for name in PROJECTIONS.values()),
            "bias": "none",
            "fan_in_fan_out": False,
            "inference_mode": True,
        }
        (folder / CONFIG).write_text(json.dumps(config, indent=2), encoding="utf-8")

    def _named(self) -> list[tuple[str, Tensor]]:
        named = []
        for name, pair in self.pairs.items():
            for side, tensor in zip("AB", pair, strict=True):
                named.append((f"{peft_name(name)}.lora_{side}.weight", tensor.detach().cpu().contiguous()))
        return named


def _pair(weight: Tensor, rank: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Begin as PEFT does: Kaiming-uniform down, zeros up."""
    rows, columns = weight.shape
    bound = 1 / math.sqrt(columns)
    down = torch.empty(rank, columns).uniform_(-bound, bound, generator=generator)
    up = torch.zeros(rows, rank)
    return tuple(x.to(weight.device).requires_grad_() for x in (down, up))  # type: ignore[return-value]
