"""Cards, phones and US social security numbers, in stretches of digits and what stands between digits.

Cards: ISO/IEC 7812 (Luhn) with the issuers' published prefixes and lengths; the payment services' published test
numbers belong to nobody. Phones: E.164 with `+`, and the notations of NANP, France, the United Kingdom and German
mobiles; 555-01xx (NANP) and Ofcom's drama numbers belong to nobody. SSN: ssa.gov/employer/randomization.html.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from shared.datasets.pii.kinds import Span, compiled

_END = rb"(?![A-Za-z0-9_]|[.\-+]?\d|-[A-Za-z])"
_AFTER = rb"A-Za-z0-9_.+\-"
_BIN = rb"(?:4\d{3}|5[1-5]\d\d|2[2-7]\d\d|6011|65\d\d|64[4-9]\d|35[2-8]\d)"
_CARD = _BIN + rb"([ -]?)\d{4}\1\d{4}\1\d{4}|3[47]\d\d([ -]?)\d{6}\2\d{5}|3(?:0[0-5]|[68]\d)\d([ -]?)\d{6}\3\d{4}"
_NANP = rb"(?:1[ .-])?(?:\([2-9]\d\d\) ?[2-9]\d\d[ .-]\d{4}|[2-9]\d\d([ .-])[2-9]\d\d\1\d{4})"
_FRANCE = rb"0[1-9]([ .-])\d\d(?:\2\d\d){3}"
_BRITAIN = rb"0(?:20 \d{4} \d{4}|7\d{3} \d{6}|1\d{3} \d{6}|1\d1 \d{3} \d{4})"
_GERMANY = rb"01[567]\d[ -]\d{7,8}"
_TEST_CARDS = frozenset(
    b"4242424242424242 4111111111111111 4000056655665556 5555555555554444 5105105105105100 2223003122003222"
    b" 4012888888881881 378282246310005 371449635398431 6011111111111117 6011000990139424 3566002020360505"
    b" 3530111333300000 30569309025904 38520000023237 36227206271667 4000000000000002".split()
)
_NOBODYS_PHONES = re.compile(rb"1?\d{3}55501\d\d|(?:44)?0?(?:2079460\d{3}|7700900\d{3})|0?123456789\d*|(\d)\1+")
_NOBODYS_SSNS = frozenset(b"078051120 219099999 123456789".split())
_NO_DIGITS = bytes(set(range(256)) - set(b"0123456789"))


def luhn(digits: bytes) -> bool:
    """Tells whether the last digit is the check digit of the others (ISO/IEC 7812-1, annex B)."""
    twice = (one * 2 - 9 if one > 4 else one * 2 for one in (byte - 48 for byte in digits[-2::-2]))
    return (sum(byte - 48 for byte in digits[::-2]) + sum(twice)) % 10 == 0


def _card(digits: bytes) -> bool:
    return luhn(digits) and len(set(digits)) > 2 and digits not in _TEST_CARDS


def _phone(digits: bytes) -> bool:
    return 9 <= len(digits) <= 15 and not _NOBODYS_PHONES.fullmatch(digits)


def _ssn(digits: bytes) -> bool:
    return digits not in _NOBODYS_SSNS


_FORMS: tuple[tuple[str, re.Pattern[bytes], Callable[[bytes], bool]], ...] = (
    ("card", compiled(rb"(?:" + _CARD + rb")" + _END, _AFTER), _card),
    ("phone", compiled(rb"\+[1-9](?:(?:\) |[ .()-])?\d){8,14}" + _END, rb"A-Za-z0-9_)+"), _phone),
    ("phone", compiled(rb"(?:" + b"|".join((_NANP, _FRANCE, _BRITAIN, _GERMANY)) + rb")" + _END, _AFTER), _phone),
    ("us_ssn", compiled(rb"(?!000|666|9)\d{3}-(?!00)\d\d-(?!0000)\d{4}" + _END, _AFTER), _ssn),
)


def numbers(block: bytes, start: int, end: int) -> Iterator[Span]:
    """Every number of a stretch; two bytes more are shown to the patterns, for their right border."""
    for kind, form, holds in _FORMS:
        for found in form.finditer(block, start, end + 2):
            if holds(found[0].translate(None, _NO_DIGITS)):
                yield Span(found.start(), found.end(), kind)
