"""Names and row orders: GGUF's, transformers', PEFT's. Without torch, so that the converter starts fast."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .gguf_file import GgufFile

FILE, CONFIG, FULL = "adapter_model.safetensors", "adapter_config.json", "model.safetensors"
PROJECTIONS = {
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
_NORMS = {"attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm"}
_OUTSIDE = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}


def is_projection(name: str) -> bool:
    """Say whether a GGUF weight is one that an adapter goes on."""
    return name.removesuffix(".weight").rpartition(".")[2] in PROJECTIONS


def hf_name(name: str) -> str:
    """Return transformers' name, without ".weight", of a GGUF weight such as `blk.3.attn_q.weight`."""
    short = name.removesuffix(".weight")
    if short in _OUTSIDE:
        return _OUTSIDE[short]
    _, layer, part = short.split(".")
    return f"model.layers.{layer}.{(PROJECTIONS | _NORMS)[part]}"


def peft_name(name: str) -> str:
    """Return the name that PEFT's file gives to a projection."""
    return f"base_model.model.{hf_name(name)}"


def interleaved_heads(model: GgufFile, name: str) -> int | None:
    """Return the heads over which GGUF interleaves a weight's rows (q and k only), or None."""
    part, heads = name.removesuffix(".weight").rpartition(".")[2], model.get("llama.attention.head_count")
    if part == "attn_q":
        return int(heads)
    return int(model.get("llama.attention.head_count_kv", heads)) if part == "attn_k" else None


def from_gguf(rows: NDArray[np.float32], heads: int | None) -> NDArray[np.float32]:
    """Undo GGUF's interleaving (rotary pairs lie side by side there, in halves in transformers)."""
    if heads is None:
        return rows
    return rows.reshape(heads, -1, 2, *rows.shape[1:]).swapaxes(1, 2).reshape(rows.shape)


def to_gguf(rows: NDArray[np.float32], heads: int | None) -> NDArray[np.float32]:
    """Interleave rows as GGUF has them."""
    if heads is None:
        return rows
    return rows.reshape(heads, 2, -1, *rows.shape[1:]).swapaxes(1, 2).reshape(rows.shape)
