"""Cards, phones and US social security numbers, each with 9 digits or more and at most two signs between two of them.

Cards: ISO/IEC 7812 (Luhn) with the issuers' published prefixes and lengths; the payment services' published test
numbers belong to nobody. SSN: ssa.gov/employer/randomization.html.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from shared.datasets.pii.ibans import ibans, ibans_at
from shared.datasets.pii.kinds import Block, Finder, Span, border
from shared.datasets.pii.phones import INTERNATIONAL, NATIONAL, somebodys_phone

_END = rb"(?![A-Za-z0-9_]|[.\-+]?\d|-[A-Za-z])"
_SIXTEEN = rb"(?:\d{12}|(?: \d{4}){3}|(?:-\d{4}){3})"
_FIFTEEN = rb"(?:\d{11}| \d{6} \d{5}|-\d{6}-\d{5})"
_FOURTEEN = rb"(?:\d{10}| \d{6} \d{4}|-\d{6}-\d{4})"
# the first byte, and what follows it: `re` is fast where all forms begin with a byte of one set
_CARDS = (
    (b"4", rb"\d{3}" + _SIXTEEN),
    (b"5", rb"[1-5]\d\d" + _SIXTEEN),
    (b"2", rb"[2-7]\d\d" + _SIXTEEN),
    (b"6", rb"(?:011|5\d\d|4[4-9]\d)" + _SIXTEEN),
    (b"3", rb"(?:5[2-8]\d" + _SIXTEEN + rb"|[47]\d\d" + _FIFTEEN + rb"|(?:0[0-5]|[68]\d)\d" + _FOURTEEN + rb")"),
)
_SSNS = ((b"0-8", rb"\d\d(?<!000)(?<!666)-(?!00)\d\d-(?!0000)\d{4}"),)
_TEST_CARDS = frozenset(
    b"4242424242424242 4111111111111111 4000056655665556 5555555555554444 5105105105105100 2223003122003222"
    b" 4012888888881881 378282246310005 371449635398431 6011111111111117 6011000990139424 3566002020360505"
    b" 3530111333300000 30569309025904 38520000023237 36227206271667 4000000000000002".split()
)
_NOBODYS_SSNS = frozenset(b"078051120 219099999 123456789".split())
_NO_DIGITS = bytes(set(range(256)) - set(b"0123456789"))
_TWICE = bytes.maketrans(b"0123456789", bytes(one * 2 - 9 * (one > 4) for one in range(10)))


def luhn(digits: bytes) -> bool:
    """Tells whether the last digit is the check digit of the others (ISO/IEC 7812-1, annex B)."""
    once = digits[::-2]
    return (sum(once) - 48 * len(once) + sum(digits[-2::-2].translate(_TWICE))) % 10 == 0


def _card(digits: bytes) -> bool:
    return luhn(digits) and len(set(digits)) > 2 and digits not in _TEST_CARDS


def _ssn(digits: bytes) -> bool:
    return digits not in _NOBODYS_SSNS


_HOLDS = {"card": _card, "phone": somebodys_phone, "us_ssn": _ssn}


@cache
def _national() -> re.Pattern[bytes]:
    """Every form that begins with a bracket or a digit; what can't be a first digit is refused before all else."""
    kinds = (("card", _CARDS), ("phone", NATIONAL), ("us_ssn", _SSNS))
    forms = (b"(?P<%b>%b)" % (kind.encode(), b"|".join(b"(?<=[%b])%b" % row for row in rows)) for kind, rows in kinds)
    first = rb"[0-9(](?:(?<!\d\d)|(?<=\\u[0-9A-Fa-f]{3}\d\d))(?=\d\d|(?<=0)\d|(?<=1)[ .-][(2-9])"
    return re.compile(first + border(rb"A-Za-z0-9_.+\-", 1) + rb"(?:" + b"|".join(forms) + rb")" + _END)


@cache
def _international() -> re.Pattern[bytes]:
    forms = b"|".join(form + _END for form in INTERNATIONAL)
    return re.compile(rb"\+" + border(rb"A-Za-z0-9_)+", 1) + rb"(?P<phone>" + forms + rb")")


@cache
def _stretch() -> re.Pattern[bytes]:
    return re.compile(rb"[0-9 .()+-]*")


def _numbers(block: Block, start: int, end: int) -> Iterator[Span]:
    for pattern in (_national(), _international()):
        for found in pattern.finditer(block, start, end):
            kind = found.lastgroup or ""
            if _HOLDS[kind](found[0].translate(None, _NO_DIGITS)):
                yield Span(kind, found.start(), found.end())


def _near(block: Block, ends: list[int]) -> Iterator[Span]:
    """The numbers of every stretch of `0-9 .()+-` in which the expression ends, or just after which."""
    done = 0
    for end in ends:
        if end > done:
            start = _begin(block, end - 1)
            done = _stretch().match(block, end - 1).end()  # type: ignore[union-attr]  # also matches nothing
            yield from _numbers(block, start, done + 2)  # two more for the right border
            yield from ibans_at(block, start)


def _begin(block: Block, at: int, step: int = 64) -> int:
    """Where the stretch before `at` begins."""
    while at:
        before = bytes(block[max(0, at - step) : at])
        left = len(before.rstrip(b"0123456789 .()+-"))
        at -= len(before) - left
        if left:
            break
    return at


def _anywhere(block: bytes) -> Iterator[Span]:
    yield from _numbers(block, 0, len(block))
    yield from ibans(block)


FINDER = Finder(rb"[0-9](?:[ .()+-]{0,2}[0-9]){8}(?:[^0-9a-z]|\z)", _near, _anywhere)
