"""One answer against its reference: the measures, and what is wrong with it at first sight."""

from __future__ import annotations

from collections import Counter

import msgspec

from shared.evaluation.chrf import chrf
from shared.evaluation.words import words

_SENTENCE_ENDS = tuple(".!?…。！？;:)]}\"'”’»`|*")
_CHARACTERS_A_TOKEN = 3.0  # fewer than any common tokenizer has on prose: what is shorter was surely not cut


class Score(msgspec.Struct, frozen=True, array_like=True):
    """The measures of one answer; `row` counts from 0 in the sample.

    `exact` and `f1` (0 to 1) look at words, `chrf` (0 to 100) at characters; `length` is the answer's over the
    reference's; `empty`: there is no text; `cut`: it ends where its allowance ended; `judged` (0 to 1) is a judge's.
    """

    row: int
    exact: float
    f1: float
    chrf: float
    length: float
    empty: bool = False
    cut: bool = False
    judged: float | None = None


def score(row: int, answer: str, reference: str, most_tokens: int, judged: float | None = None) -> Score:
    """The measures of an answer that was allowed `most_tokens` tokens.

    >>> found = score(0, "Paris.", "paris", 16)
    >>> found.exact, found.f1, found.chrf, found.length
    (1.0, 1.0, 51.32, 1.2)
    """
    given, wanted = words(answer), words(reference)
    return Score(
        row,
        float(given == wanted),
        round(_f1(given, wanted), 4),
        round(chrf(answer, reference), 2),
        round(len(answer) / max(1, len(reference)), 2),
        not answer.strip(),
        is_cut(answer, most_tokens),
        judged,
    )


def _f1(given: list[str], wanted: list[str]) -> float:
    if not given or not wanted:
        return float(given == wanted)
    common = (Counter(given) & Counter(wanted)).total()
    return 2.0 * common / (len(given) + len(wanted))


def is_cut(answer: str, most_tokens: int) -> bool:
    """Whether an answer seems to end because its tokens were used up: few servers say so, so it is told by its looks.

    >>> is_cut("so it goes on and on and", 8), is_cut("so it goes on and on.", 8), is_cut("yes", 8)
    (True, False, False)
    """
    text = answer.rstrip()
    return len(text) >= most_tokens * _CHARACTERS_A_TOKEN and not text.endswith(_SENTENCE_ENDS)
