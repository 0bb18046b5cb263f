"""Texts as measures see them: what differs in form only is the same."""

from __future__ import annotations

import re
import string
import unicodedata

LONGEST = 20_000  # characters of a text that are looked at

_ASCII = frozenset(string.punctuation)
# Scripts that put no blanks between words: each of their characters stands for itself.
_UNSPACED = re.compile(
    r"([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff])"
)


def words(text: str) -> list[str]:
    """The words of a text: without case, punctuation and width.

    As SQuAD's evaluation does it (https://rajpurkar.github.io/SQuAD-explorer/, `normalize_answer`), for any language:
    Unicode's punctuation counts as well, and English articles are kept, since other languages have no such words.

    >>> words("The  answer: “42”!"), words("東京です。")
    (['the', 'answer', '42'], ['東', '京', 'で', 'す'])
    """
    plain = unicodedata.normalize("NFKC", text[:LONGEST]).casefold()
    kept = "".join(" " if _is_punctuation(character) else character for character in plain)
    return _UNSPACED.sub(r" \1 ", kept).split()


def _is_punctuation(character: str) -> bool:
    return character in _ASCII or unicodedata.category(character).startswith("P")
