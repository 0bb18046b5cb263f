"""Tokens a second through the box's endpoint, against llama.cpp with nothing before it and against transformers.

The same weights (SmolLM2-135M), cores and prompts; greedy answers cut at the same number of tokens. They take turns, and each
round gives ratios of its own. `python -m bench.generation --home DIR` runs this part alone, where a box runs there.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

import yaml

from bench.generation import contestants
from bench.generation.contestants import AT_ONCE, Contestant
from bench.generation.prompts import LONG
from bench.row import Row, middle

MODEL = "SmolLM2-135M-Instruct"
TOKENS, SHORT = 128, 48
ROUNDS, FIRSTS = 3, 15


def measure(home: Path) -> list[Row]:
    """Measure all; needs the box's variables."""
    spec = yaml.safe_load((home / "registry" / "models" / MODEL / "spec.yaml").read_text(encoding="utf-8"))
    folder = Path(spec["path"])
    weights = folder / "data" / "model.gguf"
    with contestants.endpoint(folder) as ours, contestants.bare(weights) as bare:
        same = ours.ask(LONG[0], TOKENS) == bare.ask(LONG[0], TOKENS)
        long = [(_long(ours), _long(bare), contestants.transformers_seconds(weights, TOKENS)) for _ in range(ROUNDS)]
        first = [(_first(ours), _first(bare)) for _ in range(ROUNDS)]
        many = [(_at_once(ours), _at_once(bare), _one_by_one(ours)) for _ in range(ROUNDS)]
    how = f"tokens a second: ours {TOKENS / median(a for a, _, _ in long):.0f}, bare {TOKENS / median(b for _, b, _ in long):.0f}"
    slow = f"transformers {TOKENS / median(c for _, _, c in long):.0f}"
    told = f"{how}; {'the same words' if same else 'other words'}"
    rate = AT_ONCE * SHORT
    batched = (
        f"tokens a second: {AT_ONCE} at once {rate / median(a for a, _, _ in many):.0f}, "
        f"bare {rate / median(b for _, b, _ in many):.0f}, one after the other {rate / median(c for _, _, c in many):.0f}"
    )
    ms = f"ms: ours {1000 * median(a for a, _ in first):.1f}, bare {1000 * median(b for _, b in first):.1f}"
    return [
        middle("generation, of bare llama.cpp", 0.85, "×", [b / a for a, b, _ in long], told, at_least=True),
        middle(
            "generation, of transformers in bf16", 4, "×", [c / a for a, _, c in long], f"{how}, {slow}", at_least=True
        ),
        middle("first token, of bare llama.cpp's", 1.2, "×", [a / b for a, b in first], ms),
        middle(
            f"{AT_ONCE} requests at once, of bare llama.cpp",
            0.85,
            "×",
            [b / a for a, b, _ in many],
            batched,
            at_least=True,
        ),
        middle(
            f"{AT_ONCE} requests at once, of one by one", 1.2, "×", [c / a for a, _, c in many], batched, at_least=True
        ),
    ]


def _seconds(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def _long(who: Contestant) -> float:
    return _seconds(lambda: who.ask(LONG[0], TOKENS))


def _first(who: Contestant) -> float:
    return median(_seconds(lambda: who.ask(LONG[0], 1)) for _ in range(FIRSTS))


def _one_by_one(who: Contestant) -> float:
    return _seconds(lambda: [who.ask(prompt, SHORT) for prompt in LONG])


def _at_once(who: Contestant) -> float:
    with ThreadPoolExecutor(AT_ONCE) as callers:
        return _seconds(lambda: list(callers.map(lambda prompt: who.ask(prompt, SHORT), LONG)))


def _main(arguments: list[str]) -> None:
    from local.box import control

    home = Path(arguments[arguments.index("--home") + 1])
    os.environ.update(control.environment(home))
    for row in measure(home):
        print(f"{row.what}: {row.measured:.3g} {row.unit} ({row.promise}; {row.note})", flush=True)
