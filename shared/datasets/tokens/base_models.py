"""What is known of base models by their names: vocabulary, context length, chat template.

Sources: context lengths are `textContextWindow` of the registry's specs (Azure/azureml-assets, assets/models/system) and
max_position_embeddings of the models' published config.json; SmolLM2's is `llama.context_length` of its GGUF.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

ASSUMED_CONTEXT = 4096


@dataclass(frozen=True)
class Template:
    """What a chat template writes around each message, and at a row's start where it has no system message.

    `tokens` is the price of a message where there is no tokenizer to count it.
    """

    before: str = ""
    after: str = ""
    default_system: str = ""
    tokens: int = 5


_SMOLLM2_SYSTEM = "You are a helpful AI assistant named SmolLM, trained by Hugging Face"
# By a special token that only vocabularies with this template have; the first one found counts.
TEMPLATES: dict[str, Template] = {
    "<jupyter_script>": Template("<|im_start|>{role}\n", "<|im_end|>\n", _SMOLLM2_SYSTEM),
    "<|im_sep|>": Template("<|im_start|>{role}<|im_sep|>", "<|im_end|>", tokens=4),
    "<|im_start|>": Template("<|im_start|>{role}\n", "<|im_end|>\n"),
    "<|start_header_id|>": Template("<|start_header_id|>{role}<|end_header_id|>\n\n", "<|eot_id|>"),
    "<|end|>": Template("<|{role}|>\n", "<|end|>\n", tokens=4),
    "[INST]": Template("[INST]", "[/INST]", tokens=3),
}
# A name's pattern: vocabulary ("32k", "49k", "128k"), template (a key above), context in tokens (None: as hinted).
_MODELS: tuple[tuple[str, str, str, int | None], ...] = (
    (r"smollm2", "49k", "<jupyter_script>", 8192),
    (r"tiny-random-chat", "49k", "<jupyter_script>", 2048),
    (r"phi-3\.5-(mini|moe)", "32k", "<|end|>", 131072),
    (r"phi-3-small", "128k", "<|end|>", None),
    (r"phi-3", "32k", "<|end|>", None),
    (r"phi-4-(mini|multimodal)", "128k", "<|end|>", 131072),
    (r"phi-4-.*reasoning", "128k", "<|im_sep|>", 32768),
    (r"phi-4", "128k", "<|im_sep|>", 16384),
    (r"llama-3[.-][123]", "128k", "<|start_header_id|>", 131072),
    (r"llama-3", "128k", "<|start_header_id|>", 8192),
    (r"llama-2", "32k", "[INST]", 4096),
    (r"mistral-nemo", "128k", "[INST]", 131072),
    (r"mistral(ai)?-?(-mistral)?-?7b.*v0?-?1", "32k", "[INST]", 8192),
    (r"mi[sx]tral", "32k", "[INST]", 32768),
    (r"qwen", "128k", "<|im_start|>", 32768),
)


def context_tokens(model_name: str) -> tuple[int, bool]:
    """The longest row that a model takes, in tokens, and whether that is known (else it is assumed).

    >>> context_tokens("Phi-3-medium-128k-instruct"), context_tokens("my-model")
    ((131072, True), (4096, False))
    """
    known = _find(model_name)
    if known and known[3]:
        return known[3], True
    hint = re.search(r"(?<![a-z0-9])(\d{1,4})k(?![a-z0-9])", model_name.lower())
    return (int(hint[1]) * 1024, True) if hint else (ASSUMED_CONTEXT, False)


def vocabulary(model_name: str) -> str | None:
    """The kind of vocabulary, by its size; None where the name tells nothing."""
    known = _find(model_name)
    return known[1] if known else None


def template(model_name: str) -> Template:
    """The chat template of a model, as far as its name tells it."""
    known = _find(model_name)
    return TEMPLATES[known[2]] if known else Template()


def _find(model_name: str) -> tuple[str, str, str, int | None] | None:
    return next((model for model in _MODELS if re.search(model[0], model_name.lower())), None)
