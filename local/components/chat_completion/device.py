"""Where and in which number format it is computed."""

from __future__ import annotations

import os
from pathlib import Path

import torch

from .settings import Settings


def choose(settings: Settings) -> tuple[torch.device, torch.dtype]:
    """Return CUDA where there is one, else the CPU; 16 bits only where they are asked for and fast, and LoRA trains."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    wanted = settings.precision == "16" and settings.apply_lora
    kind = torch.bfloat16 if wanted and _fast_bfloat16(device) else torch.float32
    if device.type == "cpu":
        torch.set_num_threads(min(len(os.sched_getaffinity(0)), 8))
    if settings.enable_full_determinism:
        torch.use_deterministic_algorithms(True)
    return device, kind


def _fast_bfloat16(device: torch.device) -> bool:
    """Say whether the hardware multiplies bfloat16 itself; emulated, it is seven times slower than float32."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags
