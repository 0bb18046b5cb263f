"""What learns: adapters (`apply_lora`), or the whole model."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from torch import Tensor

from .llama import Llama
from .lora import Lora
from .names import FULL, hf_name
from .settings import Settings


class Learner(Protocol):
    """The part of the model that training changes."""

    def parameters(self) -> list[Tensor]:
        """Return what the optimiser changes."""

    def linear(self, x: Tensor, name: str) -> Tensor:
        """Apply a projection as it is now."""

    def save(self, folder: Path, base: str) -> None:
        """Write what was learnt."""


class Whole:
    """All weights learn."""

    def __init__(self, model: Llama) -> None:
        self.model = model
        self._weights = {name: weight.requires_grad_() for name, weight in model.weights.items()}

    def parameters(self) -> list[Tensor]:
        """Return all weights."""
        return list(self._weights.values())

    def linear(self, x: Tensor, name: str) -> Tensor:
        """Apply a weight."""
        return self.model.plain(x, name)

    def save(self, folder: Path, base: str) -> None:
        """Write all weights under transformers' names."""
        from safetensors.torch import save_file

        named = {f"{hf_name(name)}.weight": w.detach().float().cpu() for name, w in self._weights.items()}
        save_file(named, str(folder / FULL), metadata={"format": "pt"})


def learner_for(model: Llama, settings: Settings) -> Learner:
    """Choose by `apply_lora`."""
    if settings.apply_lora:
        return Lora(model, settings.lora_r, settings.lora_alpha, settings.lora_dropout, settings.seed)
    return Whole(model)
