"""chrF, the F-score of character n-grams, as sacrebleu reckons it (signature `nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no`).

Popović, "chrF: character n-gram F-score for automatic MT evaluation" (WMT 2015); sacrebleu 2.5.1, `metrics/chrf.py`.
Ours, because sacrebleu brings five packages that a function's cold start need not load.
"""

from __future__ import annotations

from collections import Counter

from shared.evaluation.words import LONGEST

ORDER = 6
BETA_SQUARED = 4.0


def chrf(answer: str, reference: str) -> float:
    """How much of a reference is in an answer and of the answer in the reference, from 0 to 100.

    >>> chrf("the cat sat", "the cat sat"), chrf("", "the cat sat")
    (100.0, 0.0)
    """
    given, wanted = _squeezed(answer), _squeezed(reference)
    precision = recall = 0.0
    orders = 0
    for length in range(1, ORDER + 1):
        have, want = _grams(given, length), _grams(wanted, length)
        if have and want:
            matching = float((have & want).total())
            precision += matching / have.total()
            recall += matching / want.total()
            orders += 1
    return _f_score(precision / orders, recall / orders) if orders else 0.0


def _f_score(precision: float, recall: float) -> float:
    weighted = BETA_SQUARED * precision + recall
    return 100.0 * (1 + BETA_SQUARED) * precision * recall / weighted if weighted else 0.0


def _squeezed(text: str) -> str:
    return "".join(text[:LONGEST].split())


def _grams(text: str, length: int) -> Counter[str]:
    return Counter(text[start : start + length] for start in range(len(text) - length + 1))
