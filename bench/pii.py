"""The scan for personal data and secrets, alone, against one big alternation over the same text."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable

from bench.row import Row

BLOCK, BLOCKS, ROUNDS = 256 * 1024, 64, 3
_RIVAL = re.compile(
    rb"(?:AKIA|ASIA)[A-Z2-7]{16}|gh[opsur]_\w{36}|sk-[\w-]{20,}|AIza[\w-]{35}|xox[a-s]-[\w-]{20,}|hf_\w{34}"
    rb"|eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+|[\w.%+-]+@[\w-]+(?:\.[\w-]+)+|\+?\d(?:[ .()-]?\d){8,18}"
)
_WORDS = b"the of and to in a is that for it as was with be by on not he his but at are this have from".split()


def measure() -> Row:
    """Nanoseconds a byte over chat lines with some numbers, dates and addresses; the best of a few rounds."""
    from shared.datasets.pii import Scanner

    chance = random.Random(7)
    blocks = [_block(chance) for _ in range(BLOCKS)]
    scanner = Scanner(fast_from=0)
    scanner.scan(b"")
    ours = min(_nanoseconds(scanner.scan, blocks) for _ in range(ROUNDS))
    rival = _nanoseconds(_RIVAL.findall, blocks[:4])
    note = f"best of {ROUNDS} over {BLOCK * BLOCKS >> 20} MB; one alternation over everything: {rival:.1f} ns"
    return Row("scan for personal data and secrets", 0.3, ours, "ns/byte", note)


def _nanoseconds(scan: Callable[[bytes], object], blocks: list[bytes]) -> float:
    began = time.perf_counter()
    for block in blocks:
        scan(block)
    return (time.perf_counter() - began) / sum(map(len, blocks)) * 1e9


def _block(chance: random.Random) -> bytes:
    lines, size = [], 0
    while size < BLOCK:
        words = chance.choices(_WORDS, k=400)
        words[::80] = (b"2014", b"\\n\\n1. First,", b"$1,299.00", b"2021-03-04", b"12:30")
        words += [b"jane@mail.co"] * (chance.random() < 0.02)
        lines.append(b'{"messages":[{"role":"user","content":"%b"}]}\n' % b" ".join(words))
        size += len(lines[-1])
    return b"".join(lines)
