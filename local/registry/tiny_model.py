"""A random model of SmolLM2's architecture: real vocabulary and chat template, two narrow layers of noise."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from local.components.chat_completion.gguf_file import Field, GgufFile, quantised, write_gguf

WIDTH, LAYERS, HEADS, KV_HEADS, INNER, CONTEXT = 64, 2, 4, 2, 128, 2048
UINT32 = 4
SEED = 4


def write_tiny_model(target: Path, vocabulary_from: Path) -> None:
    """Write the model as GGUF; the same bytes each time."""
    donor = GgufFile(vocabulary_from)
    fields = {key: field for key, field in donor.fields.items() if key.startswith("tokenizer.")}
    fields = {**_shape(donor), **fields}
    random = np.random.default_rng(SEED)
    words = len(donor.get("tokenizer.ggml.tokens"))
    tensors = {name: quantised(_noise(random, shape)) for name, shape in _tensors(words).items()}
    write_gguf(target, fields, tensors)


def _shape(donor: GgufFile) -> dict[str, Field]:
    numbers = {
        "llama.block_count": LAYERS,
        "llama.context_length": CONTEXT,
        "llama.embedding_length": WIDTH,
        "llama.feed_forward_length": INNER,
        "llama.attention.head_count": HEADS,
        "llama.attention.head_count_kv": KV_HEADS,
        "llama.rope.dimension_count": WIDTH // HEADS,
        "llama.vocab_size": len(donor.get("tokenizer.ggml.tokens")),
        "general.file_type": 7,  # mostly Q8_0
    }
    kept = ("general.architecture", "llama.rope.freq_base", "llama.attention.layer_norm_rms_epsilon")
    named = {"general.name": Field(8, "tiny-random-chat")}
    return {
        **{key: donor.fields[key] for key in kept},
        **named,
        **{key: Field(UINT32, value) for key, value in numbers.items()},
    }


def _tensors(words: int) -> dict[str, tuple[int, ...]]:
    narrow = WIDTH // HEADS * KV_HEADS
    layer = {
        "attn_norm": (WIDTH,),
        "attn_q": (WIDTH, WIDTH),
        "attn_k": (narrow, WIDTH),
        "attn_v": (narrow, WIDTH),
        "attn_output": (WIDTH, WIDTH),
        "ffn_norm": (WIDTH,),
        "ffn_gate": (INNER, WIDTH),
        "ffn_up": (INNER, WIDTH),
        "ffn_down": (WIDTH, INNER),
    }
    blocks = {f"blk.{i}.{part}.weight": shape for i in range(LAYERS) for part, shape in layer.items()}
    return {"token_embd.weight": (words, WIDTH), **blocks, "output_norm.weight": (WIDTH,)}


def _noise(random: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float32]:
    if len(shape) == 1:
        return np.ones(shape, np.float32)
    return random.normal(0.0, shape[-1] ** -0.5, shape).astype(np.float32)
