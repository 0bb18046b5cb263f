"""What trains how fast: parameters of models by name, arithmetic of GPUs by Azure size.

Sources: the models' published cards; NVIDIA's data sheets (dense, tensor cores: bf16, or fp16 on T4 and V100). How much of
it fine-tuning reaches: torchtune's README measures 2,091 to 9,174 tokens a second for full training of a 3.2B model on
an A100, which is 13 to 56 per cent; batches of one row, as here, lie in the lower half.
"""

from __future__ import annotations

import re

USED_LOW, USED_HIGH = 0.1, 0.5
_PARAMETERS: tuple[tuple[str, float], ...] = (
    (r"tiny-random-chat", 3e6),
    (r"phi-3\.5-moe", 42e9),
    (r"phi-4-multimodal", 5.6e9),
    (r"phi-(3|3\.5|4)-mini|phi-4-.*mini", 3.8e9),
    (r"phi-3-small", 7.4e9),
    (r"phi-3-medium|phi-4", 14e9),
    (r"mixtral", 47e9),
    (r"mistral-nemo", 12.2e9),
    (r"mistral", 7.2e9),
)
_UNITS = {"m": 1e6, "b": 1e9}
UNKNOWN_PARAMETERS = (1e9, 14e9)
Gpu = tuple[str, float, tuple[float, float]]
# A size's pattern: GPU, FLOP a second at 16 bit, and how many times slower it is at 32 bit (least, most).
_GPUS: tuple[tuple[str, Gpu], ...] = (
    (r"h200", ("H200", 989e12, (2, 16))),
    (r"h100", ("H100", 989e12, (2, 16))),
    (r"a100|nd96asr_v4", ("A100", 312e12, (2, 16))),
    (r"_a10_", ("A10", 125e12, (2, 4))),
    (r"mi300x", ("MI300X", 1307e12, (2, 8))),
    (r"nd40rs_v2|_nc(6|12|24)r?s_v3", ("V100", 125e12, (8, 8))),
    (r"_t4_", ("T4", 65e12, (8, 8))),
)
_COUNTS = (
    (r"_nd\d", 8),
    (r"_nc(96ads|64as)_|_nc24r?s_v3", 4),
    (r"_nc(48ads|80adis)_|_nc12s_v3", 2),
    (r"_nc\d", 1),
)
UNKNOWN_GPU = (65e12, 989e12)
CPU = (0.1e12, 2e12)  # of 2 to 16 cores; measured: 0.2e12 on two (SmolLM2, 368 tokens a second)


def parameters(model_name: str) -> tuple[float, float] | None:
    """How many parameters a model has (least, most); None where its name does not tell.

    >>> parameters("Llama-2-7b-chat")
    (7000000000.0, 7000000000.0)
    """
    name = model_name.lower()
    written = re.search(r"(?<![a-z0-9.])(\d+(?:\.\d+)?)(m|b)(?![a-z0-9])", name)
    if written:
        return (float(written[1]) * _UNITS[written[2]],) * 2
    known = next((count for pattern, count in _PARAMETERS if re.search(pattern, name)), None)
    return (known, known) if known else None


def gpus_of(size: str) -> int:
    """How many GPUs a size has, by its name; 0 where it has none that is known (source: AZUREML_CONTRACT section 6)."""
    return next((count for pattern, count in _COUNTS if re.search(pattern, size.lower())), 0)


def gpu(size: str) -> Gpu | None:
    """The GPU of an Azure size, its FLOP a second, and how much slower it is at 32 bit; None where that is not known."""
    return next((known for pattern, known in _GPUS if re.search(pattern, size.lower())), None)
