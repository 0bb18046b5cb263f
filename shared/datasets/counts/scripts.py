"""Languages, told by their scripts: what share of the letters each one has."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from string import ascii_letters

LATIN, HAN, JAPANESE, OTHER = "Latin", "Han", "Japanese", "Other scripts"
# First and last code point of the blocks of each script (source: Unicode's Blocks.txt, version 16).
_BLOCKS: dict[str, tuple[tuple[int, int], ...]] = {
    LATIN: (
        *((0xAA, 0x2AF), (0x1D00, 0x1DBF), (0x1E00, 0x1EFF), (0x2C60, 0x2C7F), (0xA720, 0xA7FF), (0xAB30, 0xAB6F)),
        *((0xFB00, 0xFB06), (0xFF21, 0xFF5A), (0x1D400, 0x1D7FF)),
    ),
    "Greek": ((0x370, 0x3FF), (0x1F00, 0x1FFF)),
    "Cyrillic": ((0x400, 0x52F), (0x1C80, 0x1C8F), (0x2DE0, 0x2DFF), (0xA640, 0xA69F)),
    "Armenian": ((0x530, 0x58F), (0xFB13, 0xFB17)),
    "Hebrew": ((0x590, 0x5FF), (0xFB1D, 0xFB4F)),
    "Arabic": ((0x600, 0x6FF), (0x750, 0x77F), (0x870, 0x8FF), (0xFB50, 0xFDFF), (0xFE70, 0xFEFE)),
    "Devanagari": ((0x900, 0x97F), (0xA8E0, 0xA8FF)),
    "Bengali": ((0x980, 0x9FF),),
    "Gurmukhi": ((0xA00, 0xA7F),),
    "Gujarati": ((0xA80, 0xAFF),),
    "Odia": ((0xB00, 0xB7F),),
    "Tamil": ((0xB80, 0xBFF),),
    "Telugu": ((0xC00, 0xC7F),),
    "Kannada": ((0xC80, 0xCFF),),
    "Malayalam": ((0xD00, 0xD7F),),
    "Sinhala": ((0xD80, 0xDFF),),
    "Thai": ((0xE00, 0xE7F),),
    "Lao": ((0xE80, 0xEFF),),
    "Tibetan": ((0xF00, 0xFFF),),
    "Burmese": ((0x1000, 0x109F),),
    "Georgian": ((0x10A0, 0x10FF), (0x1C90, 0x1CBF), (0x2D00, 0x2D2F)),
    "Hangul": ((0x1100, 0x11FF), (0x3130, 0x318F), (0xA960, 0xA97F), (0xAC00, 0xD7FF), (0xFFA0, 0xFFDC)),
    "Ethiopic": ((0x1200, 0x139F), (0x2D80, 0x2DDF)),
    "Khmer": ((0x1780, 0x17FF),),
    JAPANESE: ((0x3041, 0x30FF), (0x31F0, 0x31FF), (0xFF66, 0xFF9F), (0x1B000, 0x1B16F)),
    HAN: ((0x2E80, 0x2FDF), (0x3005, 0x3007), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x323AF)),
}
_SPANS = sorted((first, last, script) for script, blocks in _BLOCKS.items() for first, last in blocks)
_STARTS = [first for first, _, _ in _SPANS]
_ASCII = re.compile(r"[\x00-\x7f]+")
_LETTERS = ascii_letters.encode()
KANA_IN_JAPANESE = 0.1  # Chinese that quotes a brand has less kana, Japanese prose has more than half


def shares(texts: Iterable[str]) -> list[tuple[str, float]]:
    """Scripts with their share of all letters (digits, signs and spaces left out), the largest first.

    >>> shares(["ja, да"])
    [('Cyrillic', 0.5), ('Latin', 0.5)]
    """
    found: Counter[str] = Counter()
    for text in texts:
        found.update(letters(text))
    total = found.total()
    return [(script, count / total) for script, count in sorted(found.items(), key=lambda item: (-item[1], item[0]))]


def letters(text: str) -> dict[str, int]:
    """How many letters of each script a text has; the Han in a text with kana counts as Japanese."""
    plain = text.encode("ascii", "ignore")
    latin = len(plain) - len(plain.translate(None, _LETTERS))
    if len(plain) == len(text):
        return {LATIN: latin} if latin else {}
    found = Counter({LATIN: latin})
    for character, count in Counter(_ASCII.sub("", text)).items():
        found[script_of(character)] += count
    del found[""]
    if found[JAPANESE] > KANA_IN_JAPANESE * found[HAN]:
        found[JAPANESE] += found.pop(HAN, 0)
    return {script: count for script, count in found.items() if count}


@lru_cache(maxsize=4096)
def script_of(character: str) -> str:
    """The script of a letter or of a mark on one; empty where the character is neither."""
    if unicodedata.category(character)[0] not in "LM":
        return ""
    if "\ufe00" <= character <= "\ufe0f" or character >= "\U000e0000":
        return ""  # variation selectors choose an emoji's colour: no letter
    index = bisect_right(_STARTS, ord(character)) - 1
    if index >= 0 and _SPANS[index][1] >= ord(character):
        return _SPANS[index][2]
    return LATIN if character < "\u0370" else OTHER  # accents of their own, as macOS writes them
